"""Find events in series of shares: when smoke began, how long it stayed, how much there was.

An event starts with a frame whose share is at least ``high``, and lasts as long as shares are at
least ``low``. Events that follow each other closely become one, and then those that are too short
are dropped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

State = Mapping[str, dict | float | None]
"""Hold what is known of a series so far: plain JSON, empty before the first frame."""


@dataclass(frozen=True)
class Event:
    """Hold an event.

    Attributes:
        start, end: times of its first and last frame.
        peak, peak_time: the largest share, and when it was reached first.
        mean: share over all frames from start to end, also those between events that became one.
        frames: how many these are.
        confidence, place: of the frame with the largest share, as they were given.
    """

    start: float
    end: float
    peak: float
    peak_time: float
    mean: float
    frames: int
    confidence: float | None = None
    place: tuple[float, ...] | None = None


@dataclass(frozen=True)
class EventRule:
    """Say what an event is.

    Args:
        high: share at which one begins.
        low: share below which it ends.
        min_seconds: events that last less are dropped; one of a single frame lasts 0 seconds.
        merge_seconds: two with at most this between them are one.
        gap_seconds: an event ends, too, where there is no frame for longer than this.
    """

    high: float
    low: float
    min_seconds: float = 0.0
    merge_seconds: float = 1800.0
    gap_seconds: float = math.inf

    def __post_init__(self):
        if not self.low <= self.high:
            raise ValueError(f'low must not exceed high, got {self.low:g} and {self.high:g}')
        for name in ('min_seconds', 'merge_seconds', 'gap_seconds'):
            if not getattr(self, name) >= 0:
                raise ValueError(f'{name} must not be negative, got {getattr(self, name):g}')


def find_events(
    times: Sequence[float],
    shares: Sequence[float],
    high: float,
    low: float,
    min_seconds: float = 0.0,
    merge_seconds: float = 0.0,
) -> list[Event]:
    """Return the events of a whole series, in their order; times must not go back."""
    rule, state, events = EventRule(high, low, min_seconds, merge_seconds), {}, []
    for time, share in zip(times, shares, strict=True):
        state, ended = advance(state, rule, time, share)
        events += ended
    return events + finish(state, rule)[1]


def advance(
    state: State,
    rule: EventRule,
    time: float,
    share: float,
    confidence: float | None = None,
    place: Sequence[float] | None = None,
) -> tuple[State, list[Event]]:
    """Take one frame more; return the new state, and the events that are final now.

    An event is final when no later frame can change it any more. A series that is cut anywhere and
    goes on from the state gives the same events.
    """
    before, found, inside = (state.get(name) for name in ('time', 'found', 'inside'))
    total, frames = state.get('between') or (0.0, 0)
    if before is not None and time < before:
        raise ValueError(f'time goes back from {before} to {time}')
    if not math.isfinite(share):
        raise ValueError(f'share must be a number, got {share}')
    final = []
    inside = inside and time - before <= rule.gap_seconds
    if found and not inside and time - found['end'] > rule.merge_seconds:
        final, found = _long_enough(found, rule), None
    inside = share >= (rule.low if inside else rule.high)
    if inside:
        frame = dict(
            start=time, end=time, peak=share, peak_time=time, total=share, frames=1,
            confidence=confidence, place=None if place is None else list(place),
        )  # fmt: skip
        found = _joined(found, frame, total, frames) if found else frame
        total, frames = 0.0, 0
    elif found:
        total, frames = total + share, frames + 1
    return dict(time=time, inside=inside, found=found, between=[total, frames]), final


def finish(state: State, rule: EventRule) -> tuple[State, list[Event]]:
    """End a series: return its state, in which nothing is open, and the events that were."""
    final = _long_enough(state['found'], rule) if state.get('found') else []
    return dict(time=state.get('time')), final


def open_event(state: State) -> Event | None:
    """Return the event that is not final yet, as far as it is known; it may still be dropped."""
    return _event(state['found']) if state.get('found') else None


def _long_enough(piece: dict, rule: EventRule) -> list[Event]:
    return [_event(piece)] if piece['end'] - piece['start'] >= rule.min_seconds else []


def _joined(piece: dict, frame: dict, total: float, frames: int) -> dict:
    """Add a frame, and the sum and number of those that lie between."""
    top = frame if frame['peak'] > piece['peak'] else piece
    return dict(
        start=piece['start'],
        end=frame['end'],
        peak=top['peak'],
        peak_time=top['peak_time'],
        total=piece['total'] + total + frame['total'],
        frames=piece['frames'] + frames + 1,
        confidence=top['confidence'],
        place=top['place'],
    )


def _event(piece: dict) -> Event:
    place = piece['place']
    return Event(
        piece['start'],
        piece['end'],
        piece['peak'],
        piece['peak_time'],
        piece['total'] / piece['frames'],
        piece['frames'],
        piece['confidence'],
        None if place is None else tuple(place),
    )
