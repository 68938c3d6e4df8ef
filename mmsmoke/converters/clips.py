"""Read video clips with one label each, in the ways in which they are passed on."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.datasets.pictures import read_image, save_image
from mmsmoke.datasets.table import lies_inside
from mmsmoke.datasets.writer import Task
from mmsmoke.utils import DataError, UserError

from .plan import Missing, Plan

_FRAME = re.compile(r'(frame|img)_(\d+)\.(jpg|jpeg|png|npy)', re.IGNORECASE)
# 47 and 32 are gold; 23 and 16 agreed by two volunteers, or said by a researcher
_SURE = {47: 1, 23: 1, 32: 0, 16: 0}
_TWO_OF_THREE = {19: 1, 20: 0}
_BAD = -2


def clip_label(volunteers: int, admin: int) -> int | None:
    """Return 1 for smoke, 0 for none, None if nobody can tell, by the states of the labelling site.

    Researchers (``admin``) win over volunteers; a clip that either calls bad is not used.
    """
    if _BAD in (volunteers, admin):
        return None
    return _SURE.get(admin, (_SURE | _TWO_OF_THREE).get(volunteers))


def count_labels(clips: str, labels: Iterable[int | None]) -> str:
    """Return a line for the summary.

    Args:
        clips: what the labels are of, such as ``videos``.
    """
    counts = Counter(labels)
    return f'{counts[1]} {clips} with smoke, {counts[0]} without, {counts[None]} undecided'


def add_clips(
    plan: Plan, folder: Path, clips: Sequence[tuple[str, str, Mapping]], frames: int
) -> None:
    """Add so many frames of each clip to a plan, or the clip to those that are missing.

    Args:
        folder: with the videos, or with their frames.
        clips: name, address and columns of labels.csv of each.
    """
    there = find_clips(folder, [name for name, _, _ in clips])
    for name, url, columns in clips:
        if not lies_inside(name):
            raise DataError(f'{name} is no name of a clip')
        if name not in there:
            plan.missing.append(Missing(folder / f'{name}.mp4', url))
            continue
        images = [f'images/{name}_{k}.jpg' for k in range(1, frames + 1)]
        rows = [dict(image=image, **columns) for image in images]
        plan.tasks.append(Task(name, rows, partial(_make, there[name], images)))


def require_frames(frames: int) -> None:
    if frames < 1:
        raise UserError(f'frames must be at least 1, not {frames}')


def find_clips(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return where the clips of these names are, anywhere below a folder.

    A clip is an mp4 file, an npy file of frames, or a folder with numbered frames in it or in a
    folder of its own there.
    """
    wanted, found = set(names), {}
    for path in sorted(folder.rglob('*')):
        if _FRAME.fullmatch(path.name):
            inside = path.relative_to(folder).parents
            name = next((place.name for place in inside if place.name in wanted), None)
            found.setdefault(name, path.parent)
        elif path.suffix.lower() in ('.mp4', '.npy') and path.stem in wanted:
            found[path.stem] = path
    return {name: path for name, path in found.items() if name is not None}


def read_frames(clip: Path, count: int) -> list[np.ndarray]:
    """Return so many frames, evenly spread: uint8 [H, W, 3] RGB each."""
    if clip.is_dir():
        paths = [path for path in clip.iterdir() if _FRAME.fullmatch(path.name)]
        paths.sort(key=lambda path: int(_FRAME.fullmatch(path.name)[2]))
        return [_read_frame(paths[k]) for k in _places(len(paths), count, clip)]
    is_array = clip.suffix.lower() == '.npy'
    frames = _load_array(clip, dimensions=4) if is_array else _decode(clip)
    return [np.asarray(frames[k]) for k in _places(len(frames), count, clip)]


def _make(clip: Path, names: Sequence[str], root: Path) -> None:
    for name, frame in zip(names, read_frames(clip, len(names)), strict=True):
        save_image(root / name, frame)


def _places(length: int, count: int, clip: Path) -> list[int]:
    if length < count:
        raise DataError(f'{clip} has {length} frames, {count} are wanted')
    return [int((k + 0.5) * length / count) for k in range(count)]


def _decode(clip: Path) -> list[np.ndarray]:
    video, frames = cv2.VideoCapture(str(clip)), []
    promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    while True:
        good, frame = video.read()
        if not good:
            break
        frames.append(frame[..., ::-1])
    video.release()
    if not frames:
        raise DataError(f'{clip}: video cannot be read')
    if len(frames) < promised - 1:  # some videos count one more than they have
        raise DataError(f'{clip}: only {len(frames)} of {promised} frames can be read')
    return frames


def _read_frame(path: Path) -> np.ndarray:
    return _load_array(path, dimensions=3) if path.suffix.lower() == '.npy' else read_image(path)


def _load_array(path: Path, dimensions: int) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode='r')
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f'{path} is no array of frames: {error}') from error
    if array.ndim != dimensions or array.shape[-1] != 3 or array.dtype != np.uint8:
        raise DataError(
            f'{path}: frames must be 8-bit RGB, the array is {array.shape} {array.dtype}'
        )
    return array
