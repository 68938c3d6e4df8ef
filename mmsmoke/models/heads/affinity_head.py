import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmsmoke.functional import affinity_labels, affinity_losses, pair_offsets


class AffinityHead(BaseModule):
    """Tell the affinity of neighbouring positions by the maps of a backbone; a base class.

    A head gives one map [B, C, h, w] (``forward``) and says what affinity it means
    (``affinity``).

    Args:
        radius: of the pairs to learn from, in positions of the head's grid.
        walk_radius: of the pairs that a random walk uses; ``radius`` by default.
        init_cfg: as in mmengine's BaseModule.
    """

    def __init__(
        self,
        radius: float = 5,
        walk_radius: float | None = None,
        init_cfg: dict | list[dict] | None = None,
    ):
        super().__init__(init_cfg)
        self.radius = radius
        self.walk_radius = radius if walk_radius is None else walk_radius

    def affinity(self, maps: Tensor, radius: float) -> Tensor:
        """Return [B, P, h, w] in [0, 1], for ``pair_offsets(radius)``."""
        raise NotImplementedError

    def interior(self, maps: Tensor) -> Tensor:
        """Return [B, 1, h, w] in [0, 1]: how much of its scores a position takes into the walk."""
        return maps.new_ones(len(maps), 1, *maps.shape[2:])

    def loss(self, maps: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return three terms, weighted; see :func:`~mmsmoke.functional.affinity_losses`.

        Args:
            labels: [B, 1, H, W] at the size of the image, 255 unknown.
        """
        small = F.interpolate(labels.float(), maps.shape[2:], mode='nearest-exact')[:, 0].long()
        pairs = affinity_labels(small, pair_offsets(self.radius))
        losses = affinity_losses(self.affinity(maps.float(), self.radius), pairs)
        return {f'loss_{name}': value for name, value in losses.items()}

    def predict(self, maps: Tensor) -> dict[str, Tensor]:
        """Return ``affinity`` [B, P, h, w] for ``walk_radius``, and ``interior`` [B, 1, h, w]."""
        maps = maps.float()
        return dict(affinity=self.affinity(maps, self.walk_radius), interior=self.interior(maps))
