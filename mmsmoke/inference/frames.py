"""Read and write video files by OpenCV.

It takes their names in bytes: as text, one that is not UTF-8 would end the process.
"""

import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.datasets.table import IMAGES
from mmsmoke.utils import DataError, UserError, atomic_path

VIDEOS = (
    '.mp4', '.m4v', '.mov', '.avi', '.mkv', '.webm', '.wmv', '.asf', '.flv', '.ogv', '.3gp',
    '.mpg', '.mpeg', '.vob', '.ts', '.mts', '.m2ts', '.mjpeg', '.mjpg', '.h264', '.gif',
)  # fmt: skip
TEXT_FILE = cv2.VideoWriter.fourcc(*'ansi')
"""The codec that FFmpeg, which plays text files, names for one."""


@dataclass(frozen=True)
class Item:
    """Hold one picture to look at.

    Args:
        name: relative path that its results are written under.
        source: file, or uint8 [H, W, 3] in the order BGR.
        frame, seconds: where in a video it is from.
    """

    name: str
    source: Path | np.ndarray
    frame: int | None = None
    seconds: float | None = None


def is_video(source) -> bool:
    """Tell videos by the endings of their names, and files of unknown endings by their content."""
    if not isinstance(source, str | os.PathLike) or Path(source).is_dir():
        return False
    ending = Path(source).suffix.lower()
    return ending in VIDEOS or (ending not in IMAGES and _has_frames(Path(source)))


def _has_frames(path: Path) -> bool:
    """Return whether OpenCV takes it for a video that says how many frames it has, more than one.

    It takes pictures for videos, too, but does not know how many frames those have.
    """
    if not path.is_file():
        return False
    capture = cv2.VideoCapture(os.fsencode(path))
    frames, codec = (capture.get(p) for p in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FOURCC))
    capture.release()
    return frames > 1 and codec != TEXT_FILE


class Video:
    """Read a video file.

    Args:
        every: process every N-th frame, from the first on.

    Attributes:
        fps: frames a second, of the file.
        stated: how many frames the file says it has.
        total: how many are taken, by what the file says of itself; 0 if it says nothing.
    """

    def __init__(self, path: str | os.PathLike, every: int = 1):
        self.path, self.every = Path(path), every
        if every < 1:
            raise UserError(f'every must be at least 1, got {every}')
        if not self.path.is_file():
            raise UserError(f'{path} not found')
        if not is_video(path):
            raise UserError(f'{path} is no video: its name ends in none of {", ".join(VIDEOS)}')
        capture = cv2.VideoCapture(os.fsencode(path))
        self.fps, self.stated = (
            capture.get(p) for p in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT)
        )
        capture.release()
        if not self.fps > 0:
            raise DataError(f'{path} cannot be opened as a video')
        self.total = max(0, math.ceil(self.stated / every))

    def frames(self) -> Iterator[Item]:
        """Yield those that can be read, by their numbers among all that the file states."""
        capture = cv2.VideoCapture(os.fsencode(self.path))
        taken, lost, end, seconds = 0, [], 0, -1.0
        try:
            for number in count():
                is_wanted = number % self.every == 0
                readable, picture = capture.read() if is_wanted else (capture.grab(), None)
                if readable:
                    end = number + 1
                elif number >= self.stated:
                    break
                elif is_wanted:
                    lost.append(number)
                if readable and is_wanted:
                    taken += 1
                    time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                    seconds = time if time > seconds else number / self.fps
                    yield Item(self.path.name, picture, number, seconds)
        finally:
            capture.release()
        if not taken:
            raise DataError(f'{self.path}: no frame can be read')
        # some containers guess how many frames they hold by duration: a few too many are no damage
        if self.stated - end <= max(3, self.stated / 100):
            lost = [number for number in lost if number < end]
        if lost:
            wanted = taken + len(lost)
            message = f'{self.path}: {len(lost)} of {wanted} frames cannot be read'
            warnings.warn(message, stacklevel=2)


@contextmanager
def video_file(
    path: Path, rate: float, advice: str = 'go on without it'
) -> Iterator[Callable[[np.ndarray], None]]:
    """Give a function that adds a frame, BGR, to a new video; the first decides on the size.

    OpenCV says nothing where a disk is full: the frames that have arrived are counted.
    """
    # OpenCV makes a fraction of it, with up to three decimals, that MPEG-4 wants in 16 bits
    rate = round(rate, next((digits for digits in (3, 2, 1) if rate * 10**digits <= 65535), 0))
    with atomic_path(path) as temporary:
        writer, frames = cv2.VideoWriter(), 0

        def add(frame: np.ndarray) -> None:
            nonlocal frames
            if not writer.isOpened():
                codec = cv2.VideoWriter.fourcc(*'mp4v')
                if not writer.open(os.fsencode(temporary), codec, rate, frame.shape[1::-1]):
                    raise UserError(f'{path} cannot be written as a video; {advice}')
            writer.write(frame)
            frames += 1

        try:
            yield add
        finally:
            writer.release()
        capture = cv2.VideoCapture(os.fsencode(temporary))
        arrived = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        capture.release()
        if arrived != frames:
            raise UserError(f'{path} cannot be written: not all frames arrive; is the disk full?')
