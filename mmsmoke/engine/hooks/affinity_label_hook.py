import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional import confident_labels
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError

from .confident_label_hook import ConfidentLabelHook, refine_with_crf


@HOOKS.register_module()
class AffinityLabelHook(ConfidentLabelHook):
    """PSA's labels: two CRFs, with a background that is easily and one that is hardly believed.

    The score of the background is ``(1 - max_k score_k) ** alpha``.

    Args:
        low: alpha of the CRF that says what certainly is foreground.
        high: alpha of the CRF that says what certainly is background.
        preset, backend, half: see :class:`ConfidentLabelHook`.
    """

    def __init__(self, low: float = 4, high: float = 32, preset: str = 'psa', **kwargs):
        super().__init__(preset, **kwargs)
        if not 0 < low <= high:
            raise UserError(f'low must be positive and at most high, got {low} and {high}')
        self.powers = low, high

    def labels(self, image: np.ndarray, scores: Tensor) -> Tensor:
        rest = 1 - scores.amax(0, keepdim=True)
        low, high = (
            refine_with_crf(image, torch.cat([rest**power, scores]), **self.crf)
            for power in self.powers
        )
        return confident_labels(low, high)
