from mmpretrain.models import Conformer
from torch import Tensor, nn

from mmsmoke.registry import MODELS


@MODELS.register_module()
class ConformerWithCLS(Conformer):
    """Give the CLS token of mmpretrain's Conformer and the map of its CNN branch.

    mmpretrain's gives the token and the mean of the map, whose last block has a stride of two; here
    it has none, as in TransCAM, so the map has the grid of the patches. A
    :class:`~mmsmoke.models.heads.TransCAMHead` classifies by both. Checkpoints are the same.

    Args: as :class:`mmpretrain.models.Conformer`, but for ``out_indices``.

    Returns:
        CLS token [B, C] after the last norm, and map [B, D, h, w], at a sixteenth of the image.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for layer in getattr(self, f'conv_trans_{self.depths}').fusion_block.modules():
            if isinstance(layer, nn.Conv2d):
                layer.stride = (1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = []
        hook = self.pooling.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0]))
        with hook:
            ((_, cls_token),) = super().forward(x)
        return cls_token, maps[0]
