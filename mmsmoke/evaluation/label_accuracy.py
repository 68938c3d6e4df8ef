import torch

from mmsmoke.registry import METRICS
from mmsmoke.utils import UserError

from .image_metric import ImageMetric


@METRICS.register_module()
class LabelAccuracy(ImageMetric):
    """Measure the share of image-level labels predicted right, in percent, at probability 0.5.

    Several classes: the mean over classes, and each on its own.
    """

    default_prefix = 'label'

    def look(self, sample: dict) -> dict:
        predicted, true = sample['pred_score'], sample['gt_score']
        if predicted.shape != true.shape:
            raise UserError(
                f'the head has num_classes={len(predicted)}, the data set has {len(true)}'
            )
        return dict(right=((predicted > 0.5) == (true > 0.5)).tolist())

    def compute(self, results: list[dict]) -> dict[str, float]:
        right = torch.tensor([result['right'] for result in results]).double()
        return self.per_class('accuracy', 100 * right.mean(0))
