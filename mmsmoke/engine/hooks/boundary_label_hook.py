import torch
from torch import Tensor

from mmsmoke.functional import agreed_labels, label_probs, scores_to_mask
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError

from .confident_label_hook import ConfidentLabelHook

CERTAINTY = 0.7


@HOOKS.register_module()
class BoundaryLabelHook(ConfidentLabelHook):
    """Make IRN's labels: two constant thresholds, each followed by a CRF on the hard labels.

    Args:
        foreground: a pixel is foreground if it is so above this threshold, after the CRF,
        background: and background if it is so below either, after the CRF.
        preset, crf: see :class:`ConfidentLabelHook`.
    """

    def __init__(
        self, foreground: float = 0.30, background: float = 0.05, preset: str = 'irn', **crf
    ):
        super().__init__(preset, **crf)
        if not 0 <= background <= foreground < 1:
            raise UserError(
                f'background must be at most foreground, both in [0, 1), '
                f'got {background} and {foreground}'
            )
        self.thresholds = foreground, background

    def opinions(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        strict, loose = (self._hard(scores, threshold) for threshold in self.thresholds)
        return strict, loose

    def decide(self, first: Tensor, second: Tensor) -> Tensor:
        return agreed_labels(strict=first.argmax(0), loose=second.argmax(0))

    def _hard(self, scores: Tensor, threshold: float) -> Tensor:
        mask = scores_to_mask(scores, threshold).cpu().numpy()
        return torch.from_numpy(label_probs(mask, len(scores) + 1, CERTAINTY)).to(scores)
