from collections.abc import Sequence
from functools import partial

import numpy as np
from torch import Tensor

from mmsmoke.functional import pixel_adaptive
from mmsmoke.functional.par import DILATIONS
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .dense_crf import in_batches
from .refiner import Refiner, refine_present


@MODELS.register_module()
class PAR(Refiner):
    """Refine by PAR, which averages scores over neighbours of like colour (AFA).

    It is a cheap relative of the dense CRF, without a background and without processes: pictures
    of one size are one batch on whatever device the scores are. See
    :func:`~mmsmoke.functional.pixel_adaptive`. Averages lower the peaks of small plumes, so unlike
    AFA's each class is then scaled to have the highest score that it had: a threshold for the
    scores before suits those after.

    Args:
        rounds: how often it averages.
        dilations: distances of the neighbours in pixels; eight at each.
    """

    def __init__(self, rounds: int = 10, dilations: Sequence[int] = DILATIONS):
        if rounds < 1 or not dilations or min(dilations) < 1:
            raise UserError(
                f'rounds and dilations must be at least 1, got {rounds} and {tuple(dilations)}'
            )
        self.rounds, self.dilations = rounds, tuple(dilations)

    def settings(self) -> dict:
        return dict(rounds=self.rounds, dilations=list(self.dilations))

    def batch(
        self, images: Sequence[np.ndarray], scores: Sequence[Tensor], present: Sequence[Tensor]
    ) -> list[Tensor]:
        return refine_present(partial(in_batches, self._refine), images, scores, present)

    def _refine(self, pixels: Tensor, scores: Tensor) -> Tensor:
        """Refine scores [B, K, H, W] of images uint8 [B, H, W, 3]."""
        pixels = pixels.to(scores.device).permute(0, 3, 1, 2)
        smooth = pixel_adaptive(pixels, scores, self.rounds, self.dilations)
        before, after = (one.amax((2, 3), keepdim=True) for one in (scores, smooth))
        return smooth / after.clamp(min=1e-8) * before
