import torch
from torch import Tensor, nn

from mmsmoke.functional import color_disagreement
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .clip_maps import maps_of_clips, nothing_of


@MODELS.register_module()
class ColorConsistencyLoss(nn.Module):
    """Call pixels of one colour alike in all frames of a clip, wherever they are (CoLo-CAM).

    It looks at clips whose label says that a class is there, at pixels of the size of the map,
    drawn by lot. See :func:`~mmsmoke.functional.color_disagreement`.

    Args:
        classifier: whose loss it is; :class:`~mmsmoke.models.CAMClassifier` fills it in.
        pixels: of a clip at most; memory grows with their square.
        sigma: what difference between colours is small, in units of the network's inputs: 0.25 are
            about 15 of 255.
        loss_weight: of the loss.
    """

    by_clip = True

    def __init__(
        self,
        classifier: nn.Module,
        pixels: int = 512,
        sigma: float = 0.25,
        loss_weight: float = 0.1,
    ):
        super().__init__()
        if pixels < 2:
            raise UserError(f'pixels must be at least 2, got {pixels}')
        if sigma <= 0:
            raise UserError(f'sigma must be above 0, got {sigma}')
        self.pixels, self.sigma, self.loss_weight = pixels, sigma, loss_weight

    def forward(
        self,
        classifier: nn.Module,
        inputs: Tensor,
        feats: tuple[Tensor, ...],
        labels: Tensor,
        clips: Tensor,
    ) -> dict[str, Tensor]:
        found = maps_of_clips(classifier, inputs, feats, labels, clips)
        losses = []
        for small, maps, known in found:
            of_clip = (known > 0.5).any(0)
            if len(maps) < 2 or not of_clip.any():
                continue
            colors = small.movedim(1, -1).flatten(0, 2)
            chances = maps.sigmoid().movedim(1, -1).flatten(0, 2)
            frames = torch.arange(len(colors), device=maps.device) // maps[0, 0].numel()
            chosen = torch.randperm(len(colors), device=maps.device)[: self.pixels]
            of_all = color_disagreement(colors[chosen], chances[chosen], frames[chosen], self.sigma)
            losses.append(of_all[of_clip].mean())
        loss = torch.stack(losses).mean() if losses else nothing_of(found)
        return dict(loss_color=self.loss_weight * loss)
