from collections.abc import Mapping

import torch

from mmsmoke.functional import image_mean_iou, oracle_iou
from mmsmoke.registry import METRICS

from .image_metric import ImageMetric
from .pseudo_label_metric import THRESHOLD_VALUES, best_threshold_index, rounded


@METRICS.register_module()
class RefinementMetric(ImageMetric):
    """Measure what each refiner of a label run does to the IoU, in percent, where truth exists.

    For the CAMs and after each refiner: ``STAGE`` (the mean IoU over images),
    ``STAGE_threshold`` and ``STAGE_oracle`` (each image with its own best threshold).

    Args:
        thresholds: of stages, by name, as tools/search_threshold.py finds them. A stage that is
            not named has its best threshold on these very images: an upper bound anywhere but
            on a validation split.
    """

    default_prefix = 'refine'

    def __init__(self, thresholds: Mapping[str, float] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.thresholds = dict(thresholds or {})

    def look(self, sample: dict) -> dict:
        return dict(counts=sample.get('stage_counts'))

    def compute(self, results: list[dict]) -> dict[str, float]:
        known = [result['counts'] for result in results if result['counts']]
        metrics = {}
        for stage in known[0] if known else ():
            counts = torch.stack([item[stage] for item in known])[:, 1:]
            image_iou = 100 * image_mean_iou(counts)
            if image_iou.isnan().all():
                continue
            self.details.setdefault('curves', {})[stage] = rounded(image_iou.nanmean(0))
            if stage in self.thresholds:
                index = THRESHOLD_VALUES.index(round(self.thresholds[stage], 2))
            else:
                index = best_threshold_index(image_iou)
            metrics |= self.per_class(stage, image_iou[:, index])
            metrics[f'{stage}_threshold'] = THRESHOLD_VALUES[index]
            metrics[f'{stage}_oracle'] = float(100 * oracle_iou(counts).nanmean())
        return metrics
