import torch
from torch import Tensor

from mmsmoke.functional import background_scores, confident_labels
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError

from .confident_label_hook import ConfidentLabelHook


@HOOKS.register_module()
class AffinityLabelHook(ConfidentLabelHook):
    """PSA's labels: two CRFs, with a background that is easily and one that is hardly believed.

    The score of the background is ``(1 - max_k score_k) ** alpha``.

    Args:
        low: alpha of the CRF that says what certainly is foreground.
        high: alpha of the CRF that says what certainly is background.
        preset, crf: see :class:`ConfidentLabelHook`.
    """

    def __init__(self, low: float = 4, high: float = 32, preset: str = 'psa', **crf):
        super().__init__(preset, **crf)
        if not 0 < low <= high:
            raise UserError(f'low must be positive and at most high, got {low} and {high}')
        self.powers = low, high

    def opinions(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        low, high = (
            torch.cat([background_scores(scores, power=power), scores]) for power in self.powers
        )
        return low, high

    def decide(self, first: Tensor, second: Tensor) -> Tensor:
        return confident_labels(low=first, high=second)
