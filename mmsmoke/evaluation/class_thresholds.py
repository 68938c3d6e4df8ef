import torch

from mmsmoke.functional import class_threshold_counts, image_mean_iou
from mmsmoke.registry import METRICS

from .image_metric import ImageMetric, scores_of
from .pseudo_label_metric import THRESHOLD_VALUES, best_threshold_index, rounded


@METRICS.register_module()
class ClassThresholds(ImageMetric):
    """Find a threshold for each class: the best for its own IoU against all else.

    Each class is measured by itself, as if there were no other one: the mean IoU over the images
    that show it, of the thresholds from 0.01 to 0.99 the lowest of equals. (A single class may have
    0, as elsewhere.) A class of which no true mask shows anything has none.

    Args:
        normalize, present: see :class:`PseudoLabelMetric`.
    """

    default_prefix = 'per_class'

    def __init__(self, normalize: str = 'auto', present: str = 'label', **kwargs):
        super().__init__(**kwargs)
        self.normalize, self.present = normalize, present

    def look(self, sample: dict) -> dict:
        if 'gt_sem_seg' not in sample:
            return dict(counts=None)
        scores = scores_of(sample, self.normalize, self.present)
        truth = sample['gt_sem_seg']['data'][0].to(scores.device)
        return dict(counts=class_threshold_counts(scores, truth).cpu())

    def compute(self, results: list[dict]) -> dict[str, float]:
        known = [result['counts'] for result in results if result['counts'] is not None]
        if not known:
            return {}
        ious = 100 * image_mean_iou(torch.stack(known))
        names = self.foreground_names() or range(len(ious))
        found = {
            name: of_class
            for name, of_class in zip(names, ious, strict=True)
            if not of_class.isnan().all()
        }
        self.details['curves'] = {name: rounded(of_class) for name, of_class in found.items()}
        if len(ious) == 1:
            return {
                name: THRESHOLD_VALUES[best_threshold_index(of_class[None])]
                for name, of_class in found.items()
            }
        return {name: self._best(name, of_class) for name, of_class in found.items()}

    def _best(self, name: str, ious: torch.Tensor) -> float:
        # with 0.00 a class would have whatever it has any score for, before all others
        usable, values = ious[1:-1], THRESHOLD_VALUES[1:-1]
        if not usable.max() > 0:
            self.warn(
                f'the maps of {name} miss it at every threshold: with that of {values[-1]} hardly '
                f'any pixel is {name}'
            )
            return values[-1]
        return values[best_threshold_index(usable[None])]
