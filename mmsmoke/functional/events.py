"""Finds events, such as plumes, in a series of numbers over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Event:
    """Hold one event of a series.

    Attributes:
        start, end: times of its first and its last frame, in seconds.
        peak, peak_time: the highest share, and when it was first reached.
        mean: of the shares of all frames from start to end, those of bridged gaps included.
        frames: how many these are.
    """

    start: float
    end: float
    peak: float
    peak_time: float
    mean: float
    frames: int


def find_events(
    times: Sequence[float],
    shares: Sequence[float],
    high: float,
    low: float,
    min_seconds: float = 0.0,
    merge_seconds: float = 0.0,
) -> list[Event]:
    """Return the events of a whole series, in order (hysteresis).

    An event starts with a frame whose share is at least ``high``, and lasts as long as shares are
    at least ``low``. Then events are merged whose gap, from the end of one to the start of the
    next, is at most ``merge_seconds``, and after that those of less than ``min_seconds`` from
    start to end are dropped.

    Args:
        times: in seconds, ascending.
        shares: of the picture that is called smoke at these times, or any other numbers.

    Example:
        >>> [(one.start, one.end) for one in find_events(range(6), [0, 1, 3, 1, 0, 3], 2, 1)]
        [(2, 3), (5, 5)]
    """
    if not low <= high:
        raise ValueError(f'low must not exceed high, got {low} and {high}')
    if len(times) != len(shares):
        raise ValueError(f'{len(times)} times of {len(shares)} shares')
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError('times must ascend')
    runs, inside = [], False
    for place, share in enumerate(shares):
        if share >= (low if inside else high):
            close = runs and times[place] - times[runs[-1][1]] <= merge_seconds
            if inside or close:
                runs[-1][1] = place
            else:
                runs.append([place, place])
            inside = True
        else:
            inside = False
    found = [_event(times, shares, first, last) for first, last in runs]
    return [event for event in found if event.end - event.start >= min_seconds]


def _event(times: Sequence[float], shares: Sequence[float], first: int, last: int) -> Event:
    values = list(shares[first : last + 1])
    peak = max(values)
    return Event(
        start=times[first],
        end=times[last],
        peak=peak,
        peak_time=times[first + values.index(peak)],
        mean=sum(values) / len(values),
        frames=len(values),
    )
