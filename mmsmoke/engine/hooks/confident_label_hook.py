import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.structures import PixelData
from torch import Tensor

from mmsmoke.functional import IGNORE
from mmsmoke.functional.crf import dense_crf
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

from ..picture import picture


class ConfidentLabelHook(Hook):
    """Turns ``seg_scores`` into label maps to learn affinity from; a base class.

    A label map has 255 wherever two dense CRFs leave it open what the pixel is, and its classes
    are those that the image has. An image without any class is background; one whose classes
    have no score anywhere is 255. PseudoLabelHook, after it, writes the label maps.

    Args:
        preset: of the CRF, see :data:`~mmsmoke.functional.crf.CRF_PRESETS`.
        backend, half: see :func:`~mmsmoke.functional.crf.dense_crf`.
    """

    def __init__(self, preset: str, backend: str = 'pydensecrf', half: bool = False):
        self.crf = dict(preset=preset, backend=backend, half=half)

    def before_test(self, runner) -> None:
        if not hasattr(runner.test_loop, 'stages'):
            name = type(self).__name__
            raise UserError(f"{name} needs test_cfg=dict(type='mmsmoke.PseudoLabelLoop')")

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        for image, sample in zip(data_batch['inputs'], outputs, strict=True):
            sample.pred_sem_seg = PixelData(data=self._labels(image, sample)[None])

    def _labels(self, image: Tensor, sample: WeakSegDataSample) -> Tensor:
        scores = sample.seg_scores.float()
        present = sample.present().nonzero().flatten().to(scores.device)
        if not scores[present].any():
            empty = torch.zeros_like(scores[0], dtype=torch.uint8)
            return empty + IGNORE if len(present) else empty
        found = self.labels(picture(image, sample), scores[present])
        values = torch.full((IGNORE + 1,), IGNORE, dtype=torch.uint8, device=scores.device)
        values[0], values[1 : len(present) + 1] = 0, present.to(torch.uint8) + 1
        return values[found.long()]

    def labels(self, image: np.ndarray, scores: Tensor) -> Tensor:
        """uint8 [H, W], 0 background, 255 unknown.

        Args:
            image: uint8 [H, W, 3] RGB.
            scores: [L, H, W] in [0, 1], of the classes that the image has.
        """
        raise NotImplementedError


def refine_with_crf(image: np.ndarray, probs: Tensor, **settings) -> Tensor:
    """[L, H, W] after the dense CRF; the one place where label hooks meet it."""
    return dense_crf(image, probs, **settings)
