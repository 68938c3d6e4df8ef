"""Read the columns of labels.csv that tell which frames belong together, and when they are."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone

from .errors import DataError

CLIP_COLUMNS = ('clip', 'video')
"""Names the columns that tell the clip of a frame; the first that is not empty counts."""


def clip_of(columns: Mapping[str, str]) -> str | None:
    """Return the clip of a frame by its columns, or None."""
    return next((columns[name] for name in CLIP_COLUMNS if columns.get(name)), None)


def require_clip(columns: Mapping[str, str], image: str) -> str:
    """Return the clip of a frame.

    Raises:
        DataError: it has none.
    """
    clip = clip_of(columns)
    if clip is None:
        raise DataError(f'{image}: labels.csv must name its clip in a column clip or video')
    return clip


def seconds_of(columns: Mapping[str, str], image: str) -> float:
    """Return when a frame was taken, in seconds, by its column ``time``.

    That is a number of seconds, or a date and time as in ``2026-05-01T12:30:00``; one without a
    time zone counts as UTC, so that no clock is put forward in between.

    Raises:
        DataError: there is no such column, or something else in it.
    """
    text = columns.get('time', '')
    with suppress(ValueError):
        if math.isfinite(seconds := float(text)):
            return seconds
    try:
        time = datetime.fromisoformat(re.sub('Z$', '+00:00', text))  # Python 3.10 knows no Z
    except ValueError as error:
        raise DataError(
            f'{image}: the column time must hold seconds, or a date and time as '
            f'2026-05-01T12:30:00, not {text!r}'
        ) from error
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
