import torch
from mmengine.hooks import Hook
from mmengine.structures import PixelData
from torch import Tensor

from mmsmoke.functional import IGNORE

from ..loops.pseudo_label_loop import require_label_loop
from ..picture import picture


class ConfidentLabelHook(Hook):
    """Turn ``seg_scores`` into label maps to learn affinity from; a base class.

    A label map has 255 wherever two dense CRFs leave it open what the pixel is, and its classes
    are those that the image has. An image without any class is background; one whose classes
    have no score anywhere is 255. PseudoLabelHook, after it, writes the label maps.

    Args:
        preset, backend, half, workers: of the CRFs; see
            :class:`~mmsmoke.models.DenseCRF`.
    """

    def __init__(self, preset: str, **crf):
        from mmsmoke.models.refiners import DenseCRF

        self.crf = DenseCRF(preset, **crf)

    def before_test(self, runner) -> None:
        require_label_loop(self, runner)
        self.crf.start()

    def after_test(self, runner) -> None:
        self.crf.close()

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        images, probs, open_samples = [], [], []
        for image, sample in zip(data_batch['inputs'], outputs, strict=True):
            scores = sample.seg_scores.float()
            present = sample.present().to(scores.device)
            if scores[present].any():
                open_samples.append(sample)
                images += [picture(image, sample)] * 2
                probs += self.opinions(scores[present])
            else:
                unknown = IGNORE if present.any() else 0
                labels = torch.full_like(scores[:1], unknown, dtype=torch.uint8)
                sample.pred_sem_seg = PixelData(data=labels)
        refined = self.crf(images, probs)
        for index, sample in enumerate(open_samples):
            found = self.decide(*refined[2 * index : 2 * index + 2])
            present = sample.present().nonzero().flatten().to(found.device)
            values = found.new_full((IGNORE + 1,), IGNORE)
            values[0], values[1 : len(present) + 1] = 0, present.to(found) + 1
            sample.pred_sem_seg = PixelData(data=values[found.long()][None])

    def opinions(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return two times [1 + L, H, W], background first, for a CRF each.

        Args:
            scores: [L, H, W] in [0, 1], of the classes that the image has.
        """
        raise NotImplementedError

    def decide(self, first: Tensor, second: Tensor) -> Tensor:
        """Return uint8 [H, W], 0 background, 255 unknown, of what the CRFs made of both."""
        raise NotImplementedError
