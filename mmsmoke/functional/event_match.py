"""Compare the events that were found in a series with those that there were."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from .events import Event

DAY = 86400


@dataclass(frozen=True)
class Watched:
    """Hold what one camera saw: the times of its frames, the events found, and the true ones."""

    times: Sequence[float]
    found: Sequence[Event]
    true: Sequence[Event]


def overlap(one: Event, other: Event) -> bool:
    """Return whether two events share any time, if only a moment."""
    return one.start <= other.end and other.start <= one.end


def compare_events(
    found: Sequence[Event], true: Sequence[Event]
) -> tuple[list[bool], list[float | None]]:
    """Compare what was found in a series with what there was.

    Returns:
        Of each found event whether it overlaps a true one, and of each true event how many seconds
        after its start the first one that overlaps it began: 0 if that was before, None if there
        is none.
    """
    right = [any(overlap(one, other) for other in true) for one in found]
    starts = [[one.start for one in found if overlap(one, event)] for event in true]
    delays = [
        max(min(early) - event.start, 0.0) if early else None
        for early, event in zip(starts, true, strict=True)
    ]
    return right, delays


def pair_events(found: Sequence[Event], true: Sequence[Event]) -> int:
    """Return how many true events overlap a found one of their own.

    Both are in order, and those of either kind do not overlap each other.
    """
    pairs, later = 0, list(found)
    for event in true:
        while later and later[0].end < event.start:
            del later[0]
        if later and overlap(later[0], event):
            pairs += 1
            del later[0]
    return pairs


def event_numbers(series: Sequence[Watched]) -> dict[str, float]:
    """Return the numbers of :class:`~mmsmoke.evaluation.EventMetric` over several cameras.

    Those that cannot be told, as the delay where nothing was found, are left out.
    """
    right, delays, pairs, seconds = [], [], 0, 0.0
    for one in series:
        good, late = compare_events(one.found, one.true)
        right, delays = right + good, delays + late
        pairs += pair_events(one.found, one.true)
        seconds += observed(one.times)
    hits = [delay for delay in delays if delay is not None]
    numbers = dict(events=float(len(delays)))
    if right:
        numbers['precision'] = 100 * sum(right) / len(right)
    if delays:
        numbers['recall'] = 100 * len(hits) / len(delays)
    if right or delays:
        numbers['f1'] = 200 * pairs / (len(right) + len(delays))
    if hits:
        numbers['delay'] = sum(hits) / len(hits)
    if seconds:
        numbers['found'] = len(right) * DAY / seconds
        numbers['false_alarms'] = right.count(False) * DAY / seconds
    return numbers


def observed(times: Sequence[float]) -> float:
    """Return how many seconds a camera watched: each frame stands for the usual step to the next.

    So hours without any frame do not count.
    """
    steps = [later - earlier for earlier, later in pairwise(times)]
    return len(times) * median(steps) if steps else 0.0
