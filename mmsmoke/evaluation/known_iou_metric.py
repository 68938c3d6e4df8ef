from collections.abc import Sequence

from mmseg.evaluation import IoUMetric

from mmsmoke.registry import METRICS


@METRICS.register_module()
class KnownIoUMetric(IoUMetric):
    """mmseg's IoUMetric over the images whose truth is known; nothing if there are none."""

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        super().process(data_batch, [s for s in data_samples if 'gt_sem_seg' in s])

    def compute_metrics(self, results: list) -> dict[str, float]:
        return super().compute_metrics(results) if results else {}
