from collections.abc import Sequence

import torch
from torch import Tensor

from mmsmoke.functional import (
    THRESHOLDS,
    cams_to_scores,
    image_mean_iou,
    mask_counts,
    oracle_iou,
    pooled_iou,
    threshold_counts,
)
from mmsmoke.registry import METRICS

from .image_metric import ImageMetric, image_name

THRESHOLD_VALUES = [round(value, 2) for value in THRESHOLDS.tolist()]


@METRICS.register_module()
class PseudoLabelMetric(ImageMetric):
    """Foreground IoU, in percent, of CAMs, refined scores or masks against true masks.

    Reports ``image_iou`` (mean over the images with truth, the thesis' "mIoU") and
    ``pooled_iou`` (all pixels of all images). For scores it looks at all thresholds 0.00 … 1.00
    in one pass. Classes that an image does not have, by its label, count as not predicted: this
    measures localisation, as a pseudo-label run would use it. Images without truth are left out;
    without any positive image that has truth, no threshold is chosen.

    Args:
        source: ``scores`` (``seg_scores`` of a sample, or its ``cams`` normalised) or ``mask``
            (``pred_sem_seg``).
        threshold: where scores become foreground. None chooses the threshold with the best
            ``image_iou`` on these very images, the lowest of equals, and reports it: right for a
            validation split, an upper bound anywhere else.
        normalize: for ``cams``, see :func:`~mmsmoke.functional.normalize_cams`; ``auto`` does
            what the classifier's read-out asks for.

    It also reports ``image_iou_oracle``, the mean IoU if each image could choose its threshold by
    its own truth: an upper bound for any way of choosing thresholds.
    """

    default_prefix = 'cam'

    def __init__(
        self,
        source: str = 'scores',
        threshold: float | None = None,
        normalize: str = 'auto',
        **kwargs,
    ):
        super().__init__(**kwargs)
        if source not in ('scores', 'mask'):
            raise ValueError(f"source must be 'scores' or 'mask', got {source!r}")
        if threshold is not None and threshold not in THRESHOLD_VALUES:
            raise ValueError(f'threshold must be one of 0.00, 0.01, … 1.00, got {threshold}')
        self.source, self.threshold, self.normalize = source, threshold, normalize

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            counts = self._counts(sample).tolist() if 'gt_sem_seg' in sample else None
            self.results.append(dict(image=image_name(sample), counts=counts))

    def _counts(self, sample: dict) -> Tensor:
        truth = sample['gt_sem_seg']['data'][0]
        if self.source == 'mask':
            mask = sample['pred_sem_seg']['data'][0]
            return mask_counts(mask, truth.to(mask.device), len(self.foreground_names()))
        if 'seg_scores' in sample:
            scores = sample['seg_scores']
        else:
            labels = sample['gt_score'] if 'gt_score' in sample else sample['pred_score']
            auto = self.normalize == 'auto'
            normalize = sample.get('cam_normalize', 'minmax') if auto else self.normalize
            scores = cams_to_scores(sample['cams'], truth.shape, labels > 0.5, normalize)
        return threshold_counts(scores, truth.to(scores.device))

    def compute(self, results: list[dict]) -> dict[str, float]:
        counts = [result['counts'] for result in results if result['counts'] is not None]
        if not counts:
            return {}
        counts = torch.tensor(counts)
        image_iou, pooled = 100 * image_mean_iou(counts), 100 * pooled_iou(counts)
        metrics = {}
        if self.source == 'scores':
            if self.threshold is None and image_iou.isnan().all():
                return {}  # no positive image with truth: there is nothing to choose by
            metrics |= self.per_class('image_iou_oracle', (100 * oracle_iou(counts)).tolist())
            index = self._threshold_index(image_iou)
            image_iou, pooled = image_iou[:, index], pooled[:, index]
            metrics['threshold'] = THRESHOLD_VALUES[index]
        return {
            **self.per_class('image_iou', image_iou.tolist()),
            **self.per_class('pooled_iou', pooled.tolist()),
            **metrics,
        }

    def _threshold_index(self, image_iou: Tensor) -> int:
        if self.threshold is not None:
            return THRESHOLD_VALUES.index(self.threshold)
        return best_threshold_index(image_iou)


def best_threshold_index(image_iou: Tensor) -> int:
    """Of the 101 thresholds that with the best mean over classes; the lowest of equals.

    Args:
        image_iou: [K, 101].
    """
    return int(image_iou.nanmean(0).nan_to_num(0).argmax())
