from collections.abc import Mapping

import torch
from torch import Tensor

from mmsmoke.functional import background_scores, confident_labels, label_scores
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError

from .confident_label_hook import ConfidentLabelHook


@HOOKS.register_module()
class AffinityLabelHook(ConfidentLabelHook):
    """Make PSA's labels by two CRFs: one easily believes in background, one hardly.

    Args:
        low: background of the CRF that says what certainly is foreground: the alpha of PSA's
            ``(1 - max_k score_k) ** alpha``, or a rule such as ``dict(level=0.92)``, see
            :func:`~mmsmoke.functional.background_scores`.
        high: background of the CRF that says what certainly is background.
        preset, crf: see :class:`ConfidentLabelHook`.
    """

    def __init__(
        self,
        low: float | Mapping = 4,
        high: float | Mapping = 32,
        preset: str = 'psa',
        **crf,
    ):
        super().__init__(preset, **crf)
        rules = (rule if isinstance(rule, Mapping) else dict(power=rule) for rule in (low, high))
        self.rules = list(map(dict, rules))
        if any(rule.get('power', 1) <= 0 for rule in self.rules):
            raise UserError(f'powers must be positive, got low={low} and high={high}')
        easily, hardly = (background_scores(torch.full((1, 1, 1), 0.5), **r) for r in self.rules)
        if easily < hardly:
            raise UserError(
                f'low must make a stronger background than high, got low={low} and high={high}'
            )

    def opinions(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        low, high = (label_scores(scores, **rule) for rule in self.rules)
        return low, high

    def decide(self, first: Tensor, second: Tensor) -> Tensor:
        return confident_labels(low=first, high=second)
