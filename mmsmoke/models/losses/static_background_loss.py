import torch
from torch import Tensor, nn

from mmsmoke.functional import share_of_mass, unchanged
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .clip_maps import maps_of_clips, nothing_of

FEWEST_FRAMES = 3


@MODELS.register_module()
class StaticBackgroundLoss(nn.Module):
    """Keep maps off what stands still in a clip: chimneys do, plumes do not.

    The loss is the share of a map's mass that lies where a frame equals the median of its clip,
    in clips whose label says that the class is there. It is soft: where nothing moves at all, it
    pushes nowhere. Clouds and steam move too, and the inside of a thick plume may not, so it is no
    more than a hint. See :func:`~mmsmoke.functional.unchanged`.

    The frames of a clip must lie on each other, so no transform may crop or flip them by chance.
    Clips of fewer than three frames in a batch have no median worth the name and are left out.

    Args:
        classifier: whose loss it is; :class:`~mmsmoke.models.CAMClassifier` fills it in.
        sigma: what difference to the median is small, in units of the network's inputs: 0.1 are
            about 6 of 255.
        loss_weight: of the loss.
    """

    by_clip = True

    def __init__(self, classifier: nn.Module, sigma: float = 0.1, loss_weight: float = 0.1):
        super().__init__()
        if sigma <= 0:
            raise UserError(f'sigma must be above 0, got {sigma}')
        self.sigma, self.loss_weight = sigma, loss_weight

    def forward(
        self,
        classifier: nn.Module,
        inputs: Tensor,
        feats: tuple[Tensor, ...],
        labels: Tensor,
        clips: Tensor,
    ) -> dict[str, Tensor]:
        found = maps_of_clips(classifier, inputs, feats, labels, clips)
        losses = [
            share_of_mass(maps, unchanged(small, self.sigma))[known > 0.5]
            for small, maps, known in found
            if len(maps) >= FEWEST_FRAMES and (known > 0.5).any()
        ]
        loss = torch.cat(losses).mean() if losses else nothing_of(found)
        return dict(loss_static=self.loss_weight * loss)
