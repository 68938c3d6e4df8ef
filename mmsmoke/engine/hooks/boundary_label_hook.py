import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional import agreed_labels, scores_to_mask
from mmsmoke.functional.crf import label_probs
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError

from .confident_label_hook import ConfidentLabelHook, refine_with_crf

CERTAINTY = 0.7


@HOOKS.register_module()
class BoundaryLabelHook(ConfidentLabelHook):
    """IRN's labels: two constant thresholds, each followed by a CRF on the hard labels.

    Args:
        foreground: a pixel is foreground if it is so above this threshold, after the CRF,
        background: and background if it is so below either, after the CRF.
        preset, backend, half: see :class:`ConfidentLabelHook`.
    """

    def __init__(
        self, foreground: float = 0.30, background: float = 0.05, preset: str = 'irn', **kwargs
    ):
        super().__init__(preset, **kwargs)
        if not 0 <= background <= foreground < 1:
            raise UserError(
                f'background must be at most foreground, both in [0, 1), '
                f'got {background} and {foreground}'
            )
        self.thresholds = foreground, background

    def labels(self, image: np.ndarray, scores: Tensor) -> Tensor:
        strict, loose = (self._refined(image, scores, value) for value in self.thresholds)
        return agreed_labels(strict, loose)

    def _refined(self, image: np.ndarray, scores: Tensor, threshold: float) -> Tensor:
        mask = scores_to_mask(scores, threshold).cpu().numpy()
        probs = torch.from_numpy(label_probs(mask, len(scores) + 1, CERTAINTY)).to(scores)
        return refine_with_crf(image, probs, **self.crf).argmax(0)
