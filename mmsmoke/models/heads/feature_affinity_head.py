from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmsmoke.functional import feature_affinity, pair_offsets, resize_maps
from mmsmoke.registry import MODELS

from .affinity_head import AffinityHead

# PSA's
INIT = dict(
    type='Kaiming',
    layer='Conv2d',
    mode='fan_in',
    override=dict(type='Xavier', name='mix', gain=4, distribution='uniform'),
)


@MODELS.register_module()
class FeatureAffinityHead(AffinityHead):
    """Compare features as PSA does: positions are alike by ``exp(-mean_c |f_i - f_j|)``.

    Several maps are reduced by 1x1 convolutions, stacked, and mixed by another; each is followed
    by an ELU, none has a bias.

    Args:
        in_channels: of the maps that the backbone gives.
        widths: to which each is reduced; PSA has 64, 128, 256, the thesis 64, 128, 320.
        grid: index of the map whose grid the others are resized to; the first is the finest of a
            CNN.
        radius, walk_radius, init_cfg: see :class:`~mmsmoke.models.heads.AffinityHead`.

    Example:
        >>> head = FeatureAffinityHead(in_channels=(8, 16), widths=(2, 4))
        >>> head((torch.rand(1, 8, 8, 8), torch.rand(1, 16, 4, 4))).shape
        torch.Size([1, 6, 8, 8])
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (512, 1024, 2048),
        widths: Sequence[int] = (64, 128, 256),
        grid: int = 0,
        init_cfg: dict | list[dict] | None = INIT,
        **kwargs,
    ):
        super().__init__(init_cfg=init_cfg, **kwargs)
        if len(in_channels) != len(widths):
            raise ValueError(f'{len(in_channels)} maps need as many widths, got {tuple(widths)}')
        self.grid = grid
        self.reduce = nn.ModuleList(
            nn.Conv2d(channels, width, 1, bias=False)
            for channels, width in zip(in_channels, widths, strict=True)
        )
        self.mix = nn.Conv2d(sum(widths), sum(widths), 1, bias=False)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return features [B, C, h, w], to be compared."""
        size = feats[self.grid].shape[2:]
        pairs = zip(self.reduce, feats, strict=True)
        reduced = [resize_maps(F.elu(layer(feat)), size) for layer, feat in pairs]
        return F.elu(self.mix(torch.cat(reduced, dim=1)))

    def affinity(self, maps: Tensor, radius: float) -> Tensor:
        return feature_affinity(maps, pair_offsets(radius))
