"""Write what a monitor finds, so that nothing is lost or doubled whenever the process dies.

Tables only grow. How long they are is written into ``state.json``, together with how far each
camera is: what a killed process has appended after that is cut off, and found again.
"""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from mmsmoke.functional.events import Event
from mmsmoke.utils import DataError, UserError, read_json, write_json

from .sources import Say

STATE, OPEN = 'state.json', 'open_events.json'
EVENTS, EVENT_LINES = 'events.csv', 'events.jsonl'
FRAMES, MEDIA = 'frames', 'events'
FRAME_COLUMNS = ('time', 'camera', 'share')
EVENT_COLUMNS = (
    'id', 'camera', 'start', 'end', 'seconds', 'peak', 'peak_time', 'mean', 'frames', 'confidence',
    'x', 'y', 'x_share', 'y_share', 'strip', 'clip',
)  # fmt: skip
MOST_WAITING = 100_000
"""Lines about frames that wait in memory where the disk takes none."""


def iso(time: float) -> str:
    """Return a time as text, with the offset of this computer's zone from universal time."""
    return datetime.fromtimestamp(time).astimezone().isoformat(timespec='milliseconds')


def event_row(camera: str, event: Event) -> dict:
    """Return what tables say of an event; its id holds camera and start in universal time."""
    start = datetime.fromtimestamp(event.start, timezone.utc)
    place = [None] * 4 if event.place is None else event.place
    return dict(
        id=f'{camera}_{start:%Y%m%dT%H%M%S}{start.microsecond // 1000:03d}Z',
        camera=camera,
        start=iso(event.start),
        end=iso(event.end),
        seconds=round(event.end - event.start, 3),
        peak=round(event.peak, 4),
        peak_time=iso(event.peak_time),
        mean=round(event.mean, 4),
        frames=event.frames,
        confidence=None if event.confidence is None else round(event.confidence, 4),
        **dict(zip(('x', 'y', 'x_share', 'y_share'), place, strict=True)),
    )


class Records:
    """Hold the tables and the state of a monitor in a folder.

    Attributes:
        cameras, unsent: what the last process has left, as given to :meth:`commit`.
    """

    def __init__(self, out: Path, say: Say):
        self.out, self.say = out, say
        out.mkdir(parents=True, exist_ok=True)
        state = self._read_state()
        self.cameras, self.unsent = dict(state['cameras']), list(state['unsent'])
        self.lengths: dict[str, int] = dict(state['lengths'])
        self.waiting: dict[str, list[str]] = {}
        self.shown: list | None = None
        self._cut()

    def add_frame(self, camera: str, time: float, share: float) -> None:
        day = datetime.fromtimestamp(time).date().isoformat()
        self._add(f'{FRAMES}/{day}.csv', _line([iso(time), camera, f'{share:.4f}']))

    def add_event(self, row: Mapping) -> None:
        self._add(EVENTS, _line([row.get(name) for name in EVENT_COLUMNS]))
        self._add(EVENT_LINES, json.dumps(row) + '\n')

    def commit(self, cameras: Mapping[str, dict], unsent: Sequence[dict], opened: list) -> bool:
        """Write all that was added, and how far the cameras are; return whether that worked.

        Where it did not, everything is kept for the next time.

        Args:
            unsent: events that nobody has been told of yet.
            opened: events that are not final.
        """
        try:
            lengths = dict(self.lengths)
            for name, lines in self.waiting.items():
                lengths[name] = self._append(name, lines)
            lengths = {name: size for name, size in lengths.items() if (self.out / name).exists()}
            state = dict(version=1, cameras=cameras, unsent=list(unsent), lengths=lengths)
            write_json(self.out / STATE, state)
        except OSError as error:
            self.say(f'{self.out} cannot be written, is the disk full? {error.strerror or error}')
            self._bound()
            return False
        self.lengths = lengths
        self.waiting.clear()
        if opened != self.shown:
            with suppress(OSError):  # the state says it, too
                write_json(self.out / OPEN, opened)
                self.shown = opened
        return True

    def _add(self, name: str, line: str) -> None:
        self.waiting.setdefault(name, []).append(line)

    def _append(self, name: str, lines: Sequence[str]) -> int:
        """Write lines behind what belongs to the table; return its new length."""
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, 'ab', buffering=0) as file:
            length = min(self.lengths.get(name, 0), file.tell())  # somebody may have cut it
            file.truncate(length)
            text = ''.join(lines)
            if not length and name.endswith('.csv'):
                text = _line(EVENT_COLUMNS if name == EVENTS else FRAME_COLUMNS) + text
            left = memoryview(text.encode('utf-8'))
            try:
                while left:
                    left = left[file.write(left) :]
                if name in (EVENTS, EVENT_LINES):
                    os.fsync(file.fileno())
                return file.tell()
            except OSError:
                os.truncate(path, length)  # no half line for those who read it meanwhile
                raise

    def _bound(self) -> None:
        """Give up the oldest lines about frames where too many wait; events are never given up."""
        names = sorted(name for name in self.waiting if name.startswith(FRAMES))
        if sum(len(self.waiting[name]) for name in names) > MOST_WAITING:
            self.say(f'{len(self.waiting[names[0]])} lines of {names[0]} are lost')
            del self.waiting[names[0]]

    def _read_state(self) -> dict:
        if not (self.out / STATE).exists():
            for name in (EVENTS, EVENT_LINES):
                if (self.out / name).exists() and (self.out / name).stat().st_size:
                    raise UserError(f'{self.out} has {name} but no {STATE}; name another folder')
            return dict(cameras={}, unsent=[], lengths={})
        state = read_json(self.out / STATE)
        if not isinstance(state, dict) or not {'cameras', 'unsent', 'lengths'} <= state.keys():
            raise DataError(f'{self.out / STATE} is no state of a monitor; name another folder')
        return state

    def _cut(self) -> None:
        """Remove what a killed process has left behind its last state."""
        for path in self.out.rglob('.*.tmp*'):
            path.unlink(missing_ok=True)
        days = [path.relative_to(self.out).as_posix() for path in self.out.glob(f'{FRAMES}/*.csv')]
        for name in {EVENTS, EVENT_LINES, *days, *self.lengths}:
            path, length = self.out / name, self.lengths.get(name, 0)
            size = path.stat().st_size if path.exists() else 0
            if size > length:
                os.truncate(path, length)
            elif size < length:
                self.say(f'{path} is shorter than it was')


def keep_within(out: Path, most: float, say: Say) -> None:
    """Remove what is oldest until a folder has no more than so many bytes.

    First clips and strips go, then days of frames but the last. Events stay.
    """
    sizes = {}
    for path in out.rglob('*'):
        with suppress(OSError):
            if path.is_file():
                sizes[path] = path.stat()
    over = sum(stat.st_size for stat in sizes.values()) - most
    if over <= 0:
        return
    media = [path for path in sizes if path.is_relative_to(out / MEDIA)]
    media.sort(key=lambda path: sizes[path].st_mtime)
    days = sorted(path for path in sizes if path.parent == out / FRAMES)[:-1]
    removed = 0
    for path in (*media, *days):
        if over <= 0:
            break
        path.unlink(missing_ok=True)
        over -= sizes[path].st_size
        removed += 1
    say(f'{out} has become too large: {removed} of the oldest files are removed')


def _line(cells: Sequence) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerow(cells)
    return text.getvalue()
