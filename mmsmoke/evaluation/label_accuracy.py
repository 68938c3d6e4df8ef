import torch

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
        return dict(right=((predicted > 0.5) == (true > 0.5)).tolist(), true=true.tolist())

    def compute(self, results: list[dict]) -> dict[str, float]:
        right = torch.tensor([result['right'] for result in results]).double()
        true = torch.tensor([result['true'] for result in results]) > 0.5
        sides = [
            right[side[:, k], k].mean()
            for k in range(right.shape[1])
            for side in (true, ~true)
            if side[:, k].any()
        ]
        worst = dict(worst_class=100 * float(min(sides)))
        return self.per_class('accuracy', 100 * right.mean(0)) | worst
