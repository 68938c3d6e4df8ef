from mmseg.evaluation import IoUMetric

from mmsmoke.registry import METRICS

from .image_metric import ImageMetric


@METRICS.register_module()
class KnownIoUMetric(ImageMetric, IoUMetric):
    """Measure as mmseg's IoUMetric, over the images whose truth is known, each once.

    It gives nothing if there are none, or if none of them shows any foreground: the mean over the
    classes would be that of the background, which any model finds.
    """

    def look(self, sample: dict) -> dict:
        if 'gt_sem_seg' not in sample:
            return {}
        IoUMetric.process(self, {}, [sample])
        return dict(areas=self.results.pop())

    def compute(self, results: list[dict]) -> dict[str, float]:
        known = [result['areas'] for result in results if 'areas' in result]
        has_foreground = any(true[1:].any() for *_, true in known)
        return IoUMetric.compute_metrics(self, known) if has_foreground else {}
