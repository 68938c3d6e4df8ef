"""Take pictures from a camera's folder, from a video, and from what :mod:`.streams` reads."""

import math
import os
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from mmsmoke.datasets.pictures import read_image
from mmsmoke.datasets.table import IMAGES
from mmsmoke.utils import DataError, UserError

from ..frames import Video, is_video

Say = Callable[[str], None]
DATE_AND_TIME = re.compile(
    r'(?<!\d)((?:19|20)\d\d)[-_./]?(\d\d)[-_./]?(\d\d)[-_./T ]?'
    r'(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d)(?:[-_.,]?(\d{3}(?:\d{3})?)(?!\d))?)?(?!\d)'
)
SECONDS = re.compile(r'(?<!\d)(1\d{9})(\d{3})?(?!\d)')


@dataclass(frozen=True)
class Frame:
    """Hold a picture of a camera.

    Attributes:
        time: in seconds since 1970.
        picture: uint8 [H, W, 3] BGR.
        position: where in its source it is, if that can be read again from there on.
    """

    camera: str
    time: float
    picture: np.ndarray
    position: str | list | None = None


def time_of_name(name: str, utc: bool = False) -> float | None:
    """Return the time that a name or path holds, in seconds since 1970; None if there is none.

    Known are year to minute or second, as in 2026-11-30_1205, 2026-11-30_12-05-59,
    2026/11/30/120559 and 20261130T120559.250, and seconds or milliseconds since 1970. Of several
    the last one counts.

    Args:
        utc: it is universal time; otherwise that of this computer.
    """
    for found in reversed([*DATE_AND_TIME.finditer(name)]):
        *parts, fraction = found.groups()
        try:
            numbers = [int(part or 0) for part in parts]
            then = datetime(*numbers, int((fraction or '').ljust(6, '0')))
            return (then.replace(tzinfo=timezone.utc) if utc else then).timestamp()
        except (ValueError, OverflowError, OSError):
            continue
    found = [*SECONDS.finditer(name)]
    return int(found[-1][1]) + int(found[-1][2] or 0) / 1000 if found else None


def by_numbers(name: str) -> tuple:
    """Return what sorts names so that ``9`` comes before ``10``."""
    parts = re.split(r'([0-9]+)', name)
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], name


class FolderSource:
    """Take the pictures of a folder, and of the folders in it, by the order of their names.

    A file that cannot be read yet is waited for as long as it is young; then it is left out. One
    that turns up later with an earlier name than what has been taken is left out, too.

    Args:
        position: name of the last picture that was taken earlier.
        once: end where there is none left, instead of waiting for more.
        patience: age in seconds from which on a file is not waited for.
        pause: seconds between two looks into the folder; more, if a look takes long.
    """

    ends_events = False

    def __init__(
        self,
        camera: str,
        folder: str | os.PathLike,
        say: Say,
        position: str | None = None,
        once: bool = False,
        utc: bool = False,
        patience: float = 10.0,
        pause: float = 1.0,
    ):
        self.camera, self.folder, self.say, self.position = camera, Path(folder), say, position
        self.once, self.utc, self.patience, self.pause = once, utc, patience, pause
        self.waiting: deque[str] = deque()
        self.known: set[str] = set()
        self.next_look, self.ended = -math.inf, False

    def poll(self) -> Frame | None:
        """Return the next picture, or None if there is none now."""
        if not self.waiting and not self._look():
            self.ended = self.once
            return None
        while self.waiting:
            name = self.waiting[0]
            path = self.folder / name
            try:
                when = time_of_name(name, self.utc)
                when = path.stat().st_mtime if when is None else when
                picture = np.ascontiguousarray(read_image(path)[..., ::-1])
            except (DataError, OSError) as error:
                if self._is_young(path):
                    return None
                self.say(f'{self.camera}: left out: {error}')
                self.waiting.popleft()
                continue
            self.waiting.popleft()
            self.position = name
            return Frame(self.camera, when, picture, name)
        return None

    def close(self) -> None:
        pass

    def _look(self) -> bool:
        """List what is new; return False if it is too early for that."""
        begun = time.monotonic()
        if begun < self.next_look:
            return False
        names = set(self._names())
        took = time.monotonic() - begun
        self.next_look = begun + max(self.pause, 10 * took)
        if not names and not self.folder.is_dir():
            self.say(f'{self.camera}: the folder {self.folder} is gone')
        new, first = names - self.known, not self.known
        self.known = names
        if self.position is not None:
            last = by_numbers(self.position)
            late = {name for name in new if by_numbers(name) <= last}
            if late and not (first and self.position in names):  # those that were seen
                self.say(f'{self.camera}: {min(late)} comes too late ({len(late)} such): left out')
            new -= late
        self.waiting.extend(sorted(new, key=by_numbers))
        return True

    def _names(self) -> list[str]:
        return [
            Path(folder, file).relative_to(self.folder).as_posix()
            for folder, _, files in os.walk(self.folder)
            for file in files
            if file.lower().endswith(IMAGES) and not file.startswith('.')
        ]

    def _is_young(self, path: Path) -> bool:
        try:
            return 0 <= time.time() - path.stat().st_mtime < self.patience
        except OSError:
            return False


class VideoSource:
    """Take pictures of a video file, and end with it.

    The time of the first is that of the file's name or, if that has none, when the file was last
    changed less how long it lasts.

    Args:
        position: when the video begins whose frames were taken earlier, and the number of the last
            one; of another video, all are taken.
        seconds: between two frames that are taken.
    """

    ends_events = True

    def __init__(
        self,
        camera: str,
        path: str | os.PathLike,
        say: Say,
        position: list | None = None,
        utc: bool = False,
        seconds: float = 1.0,
    ):
        self.camera, self.say, self.ended = camera, say, False
        video = Video(path)
        video.every = max(1, round(video.fps * seconds))
        self.start = time_of_name(video.path.name, utc)
        if self.start is None:
            self.start = video.path.stat().st_mtime - max(0.0, video.stated) / video.fps
        is_known = position is not None and position[0] == self.start
        self.position = position if is_known else [self.start, -1]
        self.frames = video.frames()

    def poll(self) -> Frame | None:
        try:
            for item in self.frames:
                if item.frame > self.position[1]:
                    self.position = [self.start, item.frame]
                    when = self.start + item.seconds
                    return Frame(self.camera, when, item.source, self.position)
        except DataError as error:
            self.say(f'{self.camera}: {error}')
        self.ended = True
        return None

    def close(self) -> None:
        self.frames.close()


def open_source(
    camera: str,
    source: str,
    say: Say,
    position: str | list | None = None,
    once: bool = False,
    utc: bool = False,
    seconds: float = 1.0,
    patience: float = 10.0,
    pause: float = 1.0,
):
    """Return what gives a camera's pictures: of a folder, a video, an address, or ``-``."""
    from .streams import ADDRESS, SCHEMES, PipeSource, StreamSource

    source = str(source)
    if source == '-':
        return PipeSource(camera, say)
    if scheme := ADDRESS.match(source):
        if scheme[1].lower() not in SCHEMES:
            known = ', '.join(SCHEMES)
            raise UserError(f'{camera}: an address begins with {known}, not {scheme[0]}')
        return StreamSource(camera, source, say, once, seconds)
    if Path(source).is_dir():
        position = position if isinstance(position, str) else None
        return FolderSource(camera, source, say, position, once, utc, patience, pause)
    if not Path(source).exists():
        raise UserError(f'{camera}: {source} not found')
    if not is_video(source):
        raise UserError(f'{camera}: {source} is neither a folder nor a video')
    position = position if isinstance(position, list) else None
    return VideoSource(camera, source, say, position, utc, seconds)
