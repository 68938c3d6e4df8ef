from collections.abc import Sequence

from mmseg.evaluation import IoUMetric

from mmsmoke.registry import METRICS


@METRICS.register_module()
class KnownIoUMetric(IoUMetric):
    """Measure as mmseg's IoUMetric, over the images whose truth is known.

    It gives nothing if there are none, or if none of them shows any foreground: the mean over the
    classes would be that of the background, which any model finds.
    """

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        super().process(data_batch, [s for s in data_samples if 'gt_sem_seg' in s])

    def compute_metrics(self, results: list) -> dict[str, float]:
        has_foreground = any(true[1:].any() for _, _, _, true in results)
        return super().compute_metrics(results) if has_foreground else {}
