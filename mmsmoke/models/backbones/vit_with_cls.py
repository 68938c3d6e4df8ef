from mmpretrain.models import VisionTransformer
from torch import Tensor

from mmsmoke.registry import MODELS


@MODELS.register_module()
class ViTWithCLS(VisionTransformer):
    """Give the CLS token and the patch map of mmpretrain's ViT at once.

    mmpretrain's gives one or the other. A :class:`~mmsmoke.models.heads.CLSHead` classifies the
    first, a transfer loss aligns the second. Checkpoints are the same.

    Args: as :class:`mmpretrain.models.VisionTransformer`, whose ``out_type`` is ignored.

    Returns:
        CLS token [B, C] and patch map [B, C, h, w], both after the last norm.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, 'out_type': 'featmap'})

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        (outputs,) = super().forward(x)
        return outputs

    def _format_output(self, x: Tensor, hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
        return x[:, 0], super()._format_output(x, hw)
