from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmsmoke.functional import boundary_affinity, pair_offsets, resize_maps
from mmsmoke.registry import MODELS

from .affinity_head import AffinityHead


@MODELS.register_module()
class BoundaryAffinityHead(AffinityHead):
    """Find boundaries as IRN does: positions are alike if no boundary lies between them.

    No label tells boundaries; they show where labels of pairs leave no other explanation.

    Args:
        in_channels: of the maps that the backbone gives; IRN takes five, the stem's among them.
        width: to which each is reduced, by a 1x1 convolution, a group norm and a ReLU.
        groups: of the group norm.
        grid: index of the map whose grid the others are resized to.
        radius: IRN learns from pairs within 10 positions at stride 4,
        walk_radius: and walks within 5.
        init_cfg: see :class:`~mmsmoke.models.heads.AffinityHead`.

    Example:
        >>> head = BoundaryAffinityHead(in_channels=(8, 16))
        >>> head((torch.rand(1, 8, 8, 8), torch.rand(1, 16, 4, 4))).shape
        torch.Size([1, 1, 8, 8])
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 256, 512, 1024, 2048),
        width: int = 32,
        groups: int = 4,
        grid: int = 0,
        radius: float = 10,
        walk_radius: float | None = 5,
        init_cfg: dict | list[dict] | None = None,
    ):
        super().__init__(radius, walk_radius, init_cfg)
        self.grid = grid
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.GroupNorm(groups, width))
            for channels in in_channels
        )
        self.boundary = nn.Conv2d(width * len(in_channels), 1, 1)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return logits of a boundary, [B, 1, h, w]."""
        size = feats[self.grid].shape[2:]
        pairs = zip(self.levels, feats, strict=True)
        levels = [resize_maps(level(feat), size).relu() for level, feat in pairs]
        return self.boundary(torch.cat(levels, dim=1))

    def affinity(self, maps: Tensor, radius: float) -> Tensor:
        return boundary_affinity(maps[:, 0].sigmoid(), pair_offsets(radius))

    def interior(self, maps: Tensor) -> Tensor:
        return 1 - maps.sigmoid()
