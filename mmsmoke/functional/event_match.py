"""Compares the events that were found in a series with those that there were."""

from collections.abc import Sequence

from .events import Event


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
