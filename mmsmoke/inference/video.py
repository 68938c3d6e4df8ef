"""Smooth what is found in the frames of a video, and write it as a table and a video."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.utils import UserError, atomic_path
from mmsmoke.utils.threads import map_ahead
from mmsmoke.visualization import overlay_mask

from .frames import Video, video_file
from .outputs import Prediction, open_table, write_areas, writing

Found = Iterable[tuple[np.ndarray, Prediction]]
TABLE_ALONE = 'overlays=False (--no-overlays) writes the table alone'


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

    table_path, rate = path.with_suffix('.csv'), video.fps / video.every
    with (
        writing(table_path),
        atomic_path(table_path) as table,
        open_table(table) as file,
        video_file(path, rate, TABLE_ALONE) if overlays else nullcontext() as add,
    ):
        yield from write_areas(file, map_ahead(write, found, 1, most), columns)
        file.flush()  # where that fails there is no video, either


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
