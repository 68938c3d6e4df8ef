import torch

from mmsmoke.functional.otsu import otsu_threshold, score_histogram
from mmsmoke.registry import METRICS

from .image_metric import ImageMetric


@METRICS.register_module()
class OtsuThreshold(ImageMetric):
    """Find a threshold for ``seg_scores`` by the scores alone, for data without any true mask.

    It is Otsu's threshold of all pixels of all images that have a class by their labels, or by
    prediction where there are none.
    """

    default_prefix = 'otsu'

    def look(self, sample: dict) -> dict:
        labels = sample['gt_score'] if 'gt_score' in sample else sample['pred_score']
        found = score_histogram(sample['seg_scores']).tolist() if (labels > 0.5).any() else None
        return dict(histogram=found)

    def compute(self, results: list[dict]) -> dict[str, float]:
        found = [result['histogram'] for result in results if result['histogram'] is not None]
        return dict(threshold=otsu_threshold(torch.tensor(found).sum(0))) if found else {}
