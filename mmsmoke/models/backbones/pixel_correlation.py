from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmpretrain.models import ResNet
from torch import Tensor, nn

from mmsmoke.functional.precision import without_autocast
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .timm_pyramid import TIMMPyramid

# channels taken from the last two stages, and of the features that are compared
WIDTHS = dict(thesis=(256, 256, 512), seam=(64, 128, 192))


class PixelCorrelation:
    """Add SEAM's pixel correlation module to a CNN: it also says which positions look alike.

    Positions are compared by features made of the image and of the last two stages. Checkpoints
    of the CNN alone fit; what they lack starts at random. To be mixed into a backbone, before it.

    Returns:
        Affinity [B, N, N] in float32 (see :func:`pixel_affinity`; N = h * w, row by row), and
        the map [B, C, h, w].
    """

    def _add_correlation(
        self,
        early: int,
        late: int,
        mode: str,
        widths: tuple[int, int, int] | None,
        in_channels: int = 3,
    ) -> None:
        """Make the layers of the module.

        Args:
            early, late: channels of the last stage but one, and of the last.
            mode: ``thesis`` adds a 3x3 convolution to the map, and the comparison trains the
                trunk. ``seam`` gives the map of the last stage, and the comparison cannot change
                the trunk; :class:`~mmsmoke.models.classifiers.SEAM` trains it.
            widths: channels taken from the last stage but one, from the last, and of the features
                that are compared; those of the publication of the mode by default.
        """
        self.mode = mode
        thesis = mode == 'thesis'
        early_width, late_width, width = widths or WIDTHS[mode]
        conv1x1 = partial(ConvModule, kernel_size=1, bias=thesis)
        act_cfg = None if thesis else dict(type='ReLU')
        self.reduce_early = conv1x1(early, early_width, act_cfg=act_cfg)
        self.reduce_late = conv1x1(late, late_width, act_cfg=act_cfg)
        self.mix = conv1x1(in_channels + early_width + late_width, width, act_cfg=None)
        self.extra = nn.Identity()
        if thesis:
            self.extra = ConvModule(late, late, 3, padding=1, norm_cfg=self.norm_cfg)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        early, late = super().forward(x)[-2:]
        return pixel_affinity(self._compared(x, early, late)), self.extra(late)

    def _compared(self, x: Tensor, early: Tensor, late: Tensor) -> Tensor:
        if self.mode == 'seam':
            early, late = early.detach(), late.detach()
        parts = x, self.reduce_early(early), self.reduce_late(late)
        resize = partial(F.interpolate, size=late.shape[2:], mode='bilinear', align_corners=True)
        return self.mix(torch.cat([resize(part) for part in parts], dim=1))


@MODELS.register_module()
class ResNetPCM(PixelCorrelation, ResNet):
    """Join a ResNet and the pixel correlation module, :class:`PixelCorrelation`.

    Args: as :class:`mmpretrain.models.ResNet`, whose ``out_indices`` are ignored; the strides
        give output stride 16 by default.
        mode, widths: see :meth:`PixelCorrelation._add_correlation`.

    Example:
        >>> affinity, feature_map = ResNetPCM(depth=18)(torch.rand(1, 3, 64, 96))
        >>> affinity.shape, feature_map.shape
        (torch.Size([1, 24, 24]), torch.Size([1, 512, 4, 6]))
    """

    def __init__(
        self,
        depth: int,
        mode: str = 'thesis',
        in_channels: int = 3,
        strides: tuple[int, ...] = (1, 2, 2, 1),
        widths: tuple[int, int, int] | None = None,
        **kwargs,
    ):
        check_mode(mode)
        stages = len(strides)
        kwargs.update(num_stages=stages, out_indices=(stages - 2, stages - 1))
        super().__init__(depth, in_channels, strides=strides, **kwargs)
        early = getattr(self, self.res_layers[-2])[-1].out_channels
        self._add_correlation(early, self.feat_dim, mode, widths, in_channels)


@MODELS.register_module()
class TIMMPyramidPCM(PixelCorrelation, TIMMPyramid):
    """Join any CNN of timm and the pixel correlation module, :class:`PixelCorrelation`.

    Args: as :class:`~mmsmoke.models.backbones.TIMMPyramid`, and
        mode, widths: see :meth:`PixelCorrelation._add_correlation`.
        norm_cfg: of the convolution that the thesis adds.
    """

    def __init__(
        self,
        model_name: str,
        mode: str = 'thesis',
        widths: tuple[int, int, int] | None = None,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
        **kwargs,
    ):
        check_mode(mode)
        super().__init__(model_name, init_cfg=init_cfg, **kwargs)
        self.norm_cfg = norm_cfg or dict(type='BN')
        early, late = self.timm_model.feature_info.channels()[-2:]
        self._add_correlation(early, late, mode, widths, kwargs.get('in_channels', 3))


def check_mode(mode: str) -> None:
    if mode not in WIDTHS:
        raise ValueError(f'mode must be one of {", ".join(WIDTHS)}, got {mode!r}')


def require_correlation(backbone: nn.Module, who: str, mode: str) -> None:
    """Raise if a backbone has no pixel correlation module, or one of another mode."""
    name = type(backbone).__name__
    if not isinstance(backbone, PixelCorrelation):
        raise UserError(
            f'{who} needs a backbone with a pixel correlation module, such as mmsmoke.ResNetPCM or '
            f'mmsmoke.TIMMPyramidPCM with mode={mode!r}, not {name}'
        )
    if backbone.mode != mode:
        raise UserError(f'{who} needs the mode {mode!r} of {name}, not {backbone.mode!r}')


@without_autocast
def pixel_affinity(features: Tensor) -> Tensor:
    """Return how much each position (column) takes from each other one (row), by positive cosine.

    Args:
        features: [B, C, h, w].

    Returns:
        float32 [B, N, N]; no entry is negative, every column sums to 1.
    """
    unit = F.normalize(features.float().flatten(2), dim=1)
    cosine = unit.transpose(1, 2) @ unit
    # the cosine with itself is 1; so let it be for a vector of zeros, or its column sums to 0
    alike = torch.maximum(cosine.relu(), torch.eye(cosine.shape[-1], device=cosine.device))
    return alike / alike.sum(dim=1, keepdim=True)
