"""Read and write videos by OpenCV, which takes names in bytes: others than UTF-8 crash it else."""

import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.utils import DataError, UserError, atomic_path
from mmsmoke.utils.threads import map_ahead
from mmsmoke.visualization import overlay_mask

from .inputs import VIDEOS, Item, is_video
from .outputs import Prediction, open_table, write_areas, writing

Found = Iterable[tuple[np.ndarray, Prediction]]


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


def smoothed(found: Found, amount: float, decide: Callable[[Prediction], Prediction]) -> Found:
    """Take the exponential moving average of the score maps of a video.

    Args:
        amount: how much stays of what was, in [0, 1); a change has reached half its size after
            ``log(0.5) / log(amount)`` frames.
        decide: gives a prediction the mask that its scores make.
    """
    state = None
    for picture, prediction in found:
        new = prediction.scores
        # of equal maps exactly the same
        state = new if state is None else state + (1 - amount) * (new - state)
        yield picture, decide(replace(prediction, scores=state))


def annotated_path(out_dir: str | os.PathLike, video: str | os.PathLike) -> Path:
    """Return where the annotated video goes, its table beside it; nothing else may lie there."""
    path = Path(out_dir) / 'videos' / f'{Path(video).stem}.mp4'
    if path.resolve() == Path(video).resolve():
        raise UserError(f'the annotated video would overwrite {video}; name another out_dir')
    if path.exists() and not path.with_suffix('.csv').exists():
        raise UserError(f'{path} is not of an earlier run; name another folder')
    return path


def remove_video_results(out_dir: str | os.PathLike, video: str | os.PathLike) -> Path:
    """Remove what an earlier run has found in a video; return the path of the annotated one."""
    path = annotated_path(out_dir, video)
    for earlier in (path, path.with_suffix('.csv')):
        with writing(earlier):
            earlier.unlink(missing_ok=True)
    return path


def write_video(
    out_dir: str | os.PathLike,
    video: Video,
    found: Found,
    columns: Sequence[str],
    palette: Sequence,
    overlays: bool,
    most: int,
) -> Iterator[Prediction]:
    """Write ``videos/NAME.csv`` and the annotated ``videos/NAME.mp4``, of the frames taken.

    These follow each other more slowly than in the original, so that the duration is the same.
    """
    path = remove_video_results(out_dir, video.path)

    def write(pair: tuple[np.ndarray, Prediction]) -> Prediction:
        picture, prediction = pair
        if add is not None:
            add(annotated(picture, prediction, palette))
        return replace(prediction, mask=None, scores=None)

    table_path = path.with_suffix('.csv')
    with (
        writing(table_path),
        atomic_path(table_path) as table,
        open_table(table) as file,
        _video_file(path, video.fps / video.every) if overlays else nullcontext() as add,
    ):
        yield from write_areas(file, map_ahead(write, found, 1, most), columns)
        file.flush()  # where that fails there is no video, either


@contextmanager
def _video_file(path: Path, rate: float) -> Iterator[Callable[[np.ndarray], None]]:
    """Give a function that adds a frame; the first decides on the size.

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
                    raise UserError(
                        f'{path} cannot be written as a video; '
                        'overlays=False (--no-overlays) writes the table alone'
                    )
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


def annotated(picture: np.ndarray, prediction: Prediction, palette: Sequence) -> np.ndarray:
    """Return the frame, BGR, with its mask and, for each class, how much of it that covers."""
    # a picture in BGR with colours in BGR is tinted like one in RGB with colours in RGB
    out = overlay_mask(picture, prediction.mask, [colour[::-1] for colour in palette])
    scale = max(0.4, picture.shape[0] / 720)
    line = round(30 * scale)
    for k, (name, share) in enumerate(prediction.shares.items()):
        text, place = f'{name} {share:.1f} %', (round(8 * scale), (k + 1) * line)
        for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            width = max(1, round(width * scale))
            cv2.putText(
                out, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, width, cv2.LINE_AA
            )
    return out
