import torch

from mmsmoke.functional import pool_clips
from mmsmoke.functional.last_layer import worst_class_accuracy
from mmsmoke.registry import METRICS
from mmsmoke.utils.clips import clip_of

from .image_metric import ImageMetric, logits_of


@METRICS.register_module()
class ClipAccuracy(ImageMetric):
    """Measure the share of clips whose label is predicted right, in percent.

    The logits of the frames are pooled as in training, and a clip is called smoke if what comes of
    it is above 0. ``worst_class`` is the share among the clips with a class, or among those
    without it, whichever is lower. Data without clips have no such numbers.

    Args:
        pool: see :func:`~mmsmoke.functional.pool_clips`.
    """

    default_prefix = 'clip'

    def __init__(self, pool: str | float = 'max', **kwargs):
        super().__init__(**kwargs)
        pool_clips(torch.zeros(1, 1), torch.zeros(1), pool)  # raises what is wrong with it
        self.pool = pool

    def look(self, sample: dict) -> dict:
        clip = clip_of(sample.get('columns', {}))
        if clip is None:
            return {}
        return dict(clip=clip, logit=logits_of(sample).tolist(), true=sample['gt_score'].tolist())

    def compute(self, results: list[dict]) -> dict[str, float]:
        results = [result for result in results if 'clip' in result]
        if not results:
            return {}
        numbers = {}
        for result in results:
            numbers.setdefault(result['clip'], len(numbers))
        clips = torch.tensor([numbers[result['clip']] for result in results])
        logits, true = (
            torch.tensor([result[name] for result in results]) for name in ('logit', 'true')
        )
        predicted = pool_clips(logits, clips, self.pool).sigmoid()
        true = pool_clips(true, clips, 'max')
        right = ((predicted > 0.5) == (true > 0.5)).double()
        worst = dict(worst_class=worst_class_accuracy(predicted, true))
        return self.per_class('accuracy', 100 * right.mean(0)) | worst
