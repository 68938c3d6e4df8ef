from collections.abc import Callable

import torch
from torch import Tensor

from mmsmoke.functional import IGNORE, normalize_cams, resize_maps, scores_to_mask
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from ..refiners import build_refiner, refine_all


class OnlineLabels:
    """Make masks of class maps while a network learns, with pixels left open between thresholds.

    Args:
        high: above this score a pixel is of the class whose score is highest.
        low: up to this score it is background; in between it is 255, of no known class.
        refine: a refiner that improves the scores, its config or its short form, as ``par`` or
            ``crf:translucent``; None for none.
        views: arguments of :class:`~mmsmoke.models.cams.MultiScaleCAM`, to read the maps from
            several scales of the images, as in ``dict(recipe='irn', scales=(0.5, 1, 1.5))``.
            Each view is a further pass through the network.
    """

    def __init__(
        self,
        high: float = 0.55,
        low: float = 0.35,
        refine: str | dict | Callable | None = 'par',
        views: dict | None = None,
    ):
        if not 0 < low <= high < 1:
            raise UserError(f'thresholds must be 0 < low <= high < 1, got low={low}, high={high}')
        self.high, self.low, self.refine, self._refiner = high, low, refine, None
        self.views = None
        if views is not None:
            self.views = MODELS.build({'type': 'mmsmoke.MultiScaleCAM', **views})

    @torch.no_grad()
    def __call__(
        self, maps: Tensor, labels: Tensor, inside: Tensor, images: Callable[[], list]
    ) -> Tensor:
        """Return masks int64 [B, H, W].

        Args:
            maps: signed evidence [B, K, h, w].
            labels: [B, K], 1 for present classes, NaN for images without a label.
            inside: bool [B, H, W]; what is outside, as padding, becomes 255.
            images: gives the images, each uint8 [H, W, 3] RGB.
        """
        present = labels > 0.5
        maps = resize_maps(maps.float().relu(), inside.shape[1:]) * inside[:, None]
        normalize = self.views.normalize if self.views else 'max'
        scores = normalize_cams(maps, normalize) * present[:, :, None, None]
        # nothing says where the image has a class whose map is empty
        open_ = (present & (scores.amax((2, 3)) == 0)).any(1)
        if self.refine is not None and scores.any():
            if self._refiner is None:  # who only predicts needs none
                self._refiner = _ready(self.refine)
            scores = refine_all(self._refiner, images(), list(scores), list(present))
        masks = torch.stack([scores_to_mask(one, self.high, self.low) for one in scores]).long()
        masks[open_[:, None, None] & (masks == 0)] = IGNORE
        masks[labels.isnan().any(1)] = IGNORE
        masks[~inside] = IGNORE
        return masks


def _ready(refine: str | dict | Callable) -> Callable:
    refiner = build_refiner(refine)
    if getattr(refiner, 'needs_labels', False):
        raise UserError(
            f'{type(refiner).__name__} has to know the names of the classes, which a network that '
            'learns does not: take par, crf:PRESET or another refiner'
        )
    if hasattr(refiner, 'stay_in_process'):
        refiner.stay_in_process()
    return refiner
