import torch

from mmsmoke.functional.last_layer import worst_class_accuracy
from mmsmoke.registry import METRICS
from mmsmoke.utils import UserError

from .image_metric import ImageMetric


@METRICS.register_module()
class LabelAccuracy(ImageMetric):
    """Measure the share of image-level labels predicted right, in percent, at probability 0.5.

    Several classes: the mean over classes, and each on its own. ``worst_class`` is the share among
    the images with a class, or among those without it, whichever is lower: it tells a classifier
    that takes a shortcut sooner than accuracy does, without any groups.
    """

    default_prefix = 'label'

    def look(self, sample: dict) -> dict:
        predicted, true = sample['pred_score'], sample['gt_score']
        if predicted.shape != true.shape:
            raise UserError(
                f'the head has num_classes={len(predicted)}, the data set has {len(true)}'
            )
        return dict(predicted=predicted.tolist(), true=true.tolist())

    def compute(self, results: list[dict]) -> dict[str, float]:
        predicted, true = (
            torch.tensor([result[name] for result in results]) for name in ('predicted', 'true')
        )
        right = ((predicted > 0.5) == (true > 0.5)).double()
        worst = dict(worst_class=worst_class_accuracy(predicted, true))
        return self.per_class('accuracy', 100 * right.mean(0)) | worst
