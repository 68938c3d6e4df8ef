from mmsmoke.datasets.labels import label_of
from mmsmoke.functional import (
    EventRule,
    Watched,
    cams_to_scores,
    event_numbers,
    find_events,
    scores_to_mask,
)
from mmsmoke.registry import METRICS
from mmsmoke.utils import UserError, require_one_of
from mmsmoke.utils.clips import clip_of, seconds_of
from mmsmoke.utils.thresholds import Value, in_order

from .image_metric import ImageMetric, normalize_of

TRUTH = 'frame_truth'
SOURCES = ('score', 'cams', 'mask')


@METRICS.register_module()
class EventMetric(ImageMetric):
    """Measure a monitor: which events in the series of each camera it finds, and how soon.

    A series is all frames of one ``camera``, or of one clip where no camera is named, by the column
    ``time``. A number of each frame makes the events, see
    :func:`~mmsmoke.functional.find_events`. True events are runs of frames that truly show the
    class: by the column ``frame_truth`` if there is one (``smoke`` alone), by the true mask if
    there is one, by the label of the image otherwise.

    ================ ===========================================================================
    ``precision``    events found that overlap a true one, in percent; none if none is found
    ``recall``       true events that one that is found overlaps, in percent
    ``delay``        seconds from the start of a true event to that of the first that overlaps
                     it, mean over those found; 0 for one that began before
    ``f1``           100 if each true event has one found of its own and nothing else is found:
                     2 pairs / (true + found), in percent. One event that never ends has full
                     precision and recall, and a low ``f1``
    ``found``        events found, per camera and day
    ``false_alarms`` those of them that overlap no true one, per camera and day
    ``events``       number of true events
    ================ ===========================================================================

    Args:
        high, low: an event starts at ``high``, and lasts as long as the number is at least ``low``,
            which is ``high`` by default.
        min_seconds: shorter events are dropped.
        merge_seconds: events with at most so long a gap are one.
        source: what the number is: ``score``, the probability of the class; ``cams``, the share of
            the picture above ``threshold`` in the normalised map, if the class is predicted at
            all; ``mask``, its share in ``pred_sem_seg``.
        threshold: for ``cams``, or that of each class by its name; tools/test.py
            --threshold-split fills it. Without it maps give no numbers.
        normalize: see :class:`PseudoLabelMetric`.
        class_name: the class that is looked for; the first by default.
    """

    default_prefix = 'event'

    def __init__(
        self,
        high: float = 0.5,
        low: float | None = None,
        min_seconds: float = 0.0,
        merge_seconds: float = 0.0,
        source: str = 'score',
        threshold: Value | None = None,
        normalize: str = 'auto',
        class_name: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_one_of(SOURCES, source=source)
        low = high if low is None else low
        self.settings = dict(
            high=high, low=low, min_seconds=min_seconds, merge_seconds=merge_seconds
        )
        try:  # says now what find_events would say after the test
            EventRule(**self.settings)
        except ValueError as error:
            raise UserError(str(error)) from error
        self.source, self.threshold, self.normalize = source, threshold, normalize
        self.class_name = class_name

    def look(self, sample: dict) -> dict:
        columns = sample.get('columns', {})
        series = columns.get('camera') or clip_of(columns)
        if series is None or (self.source == 'cams' and self.threshold is None):
            return {}
        k = self._class()
        return dict(
            series=series,
            time=seconds_of(columns, sample['image']),
            share=self._share(sample, k),
            true=self._truth(sample, columns, k),
        )

    def _class(self) -> int:
        names = list(self.foreground_names() or [])
        if self.class_name is None:
            return 0
        if self.class_name not in names:
            raise UserError(f'no class {self.class_name!r}; there are {", ".join(names)}')
        return names.index(self.class_name)

    def _share(self, sample: dict, k: int) -> float:
        if self.source == 'score':
            return float(sample['pred_score'][k])
        if self.source == 'mask':
            mask = sample['pred_sem_seg']['data'][0]
        else:
            cams, size = sample['cams'].float(), sample['ori_shape']
            present = sample['pred_score'] > 0.5
            normalize = normalize_of(sample, self.normalize)
            scores = cams_to_scores(cams, size, present, normalize)
            mask = scores_to_mask(scores, in_order(self.threshold, self.foreground_names()))
        return float((mask == k + 1).double().mean())

    def _truth(self, sample: dict, columns: dict, k: int) -> int:
        names = self.foreground_names() or ['smoke']
        if columns.get(TRUTH) and names[k] == 'smoke':
            return label_of(columns[TRUTH])
        if 'gt_sem_seg' in sample:
            return int((sample['gt_sem_seg']['data'] == k + 1).any())
        return int(sample['gt_score'][k] > 0.5)

    def compute(self, results: list[dict]) -> dict[str, float]:
        series = {}
        for result in results:
            if 'series' in result:
                series.setdefault(result['series'], []).append(result)
        if not series:
            return {}
        watched = []
        for frames in series.values():
            frames.sort(key=lambda frame: frame['time'])
            times, shares, truth = (
                [frame[name] for frame in frames] for name in ('time', 'share', 'true')
            )
            found = find_events(times, shares, **self.settings)
            watched.append(Watched(times, found, find_events(times, truth, 1, 1)))
        return event_numbers(watched)
