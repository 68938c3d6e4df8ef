"""Read masks, and say what is wrong with them.

The data set class raises the first problem of its own masks; the checking tool lists all.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError

from .pictures import reason_of
from .table import MOST_COLUMNS, TABLE, Row, displayed_size


def mask_problems(
    root: str | os.PathLike, masks: str | os.PathLike, rows: Iterable[Row], num_classes: int
) -> list[str]:
    """Report masks of another size or with other values than 0..K and 255."""
    return list(chain.from_iterable(mask_problems_of_each(root, masks, rows, num_classes)))


def mask_problems_of_each(
    root: str | os.PathLike, masks: str | os.PathLike, rows: Iterable[Row], num_classes: int
) -> list[list[str]]:
    """Report problems of masks, in a list for each row."""

    def check(row: Row) -> list[str]:
        path = Path(masks) / row.mask_name
        if not path.is_file():
            return []
        try:
            size = displayed_size(Path(root) / row.image)
        except Exception as error:
            return [f'{row.where}: image cannot be read: {reason_of(error)}']
        _, problems = _look(path, size, num_classes, any(row.labels), masks)
        return [f'{path} ({row.where}): {problem}' for problem in problems]

    with ThreadPoolExecutor() as pool:
        return list(pool.map(check, rows))


def checked_mask(
    path: str | os.PathLike,
    size: tuple[int, int],
    num_classes: int,
    folder: str | os.PathLike = 'FOLDER',
) -> np.ndarray:
    """Return a mask, uint8 [H, W]: 0 background, k + 1 class k, 255 ignore.

    Args:
        size: width and height of its image as it is displayed.
        folder: of all masks, for advice.

    Raises:
        DataError: also for a mask that is black and white, for white is hardly "ignore" then.
    """
    mask, problems = _look(path, size, num_classes, True, folder)
    if problems:
        raise DataError(f'{path}: {problems[0]}')
    return mask


def _look(
    path: str | os.PathLike,
    size: tuple[int, int],
    num_classes: int,
    shows_any: bool,
    folder: str | os.PathLike,
) -> tuple[np.ndarray | None, list[str]]:
    """Return a mask, and what is wrong with it.

    Args:
        shows_any: whether its image may show a class, so that white may be meant as one.
    """
    try:
        with Image.open(path) as file:
            mask, indexed = np.array(file), file.mode == 'P'
    except Exception as error:
        return None, [f'mask cannot be read: {reason_of(error)}']
    if mask.ndim != 2 or mask.dtype != np.uint8:
        return mask, [f'mask must have one 8-bit channel, has {mask.shape} {mask.dtype}']
    problems = []
    if size != mask.shape[::-1]:
        height, width = mask.shape
        problems.append(f'mask is {width}x{height}, image is {size[0]}x{size[1]}')
    values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256)).tolist()
    strange = [v for v in values if v > num_classes and v != IGNORE]
    # the values of a palette PNG are meant as they are: a pseudo label may be unsure all over
    black_and_white = not indexed and values in ([0, IGNORE], [IGNORE]) and shows_any
    if black_and_white or strange:
        problems.append(
            f'mask has values {_shorten(values)}, allowed are {_allowed(num_classes)} and 255'
            f'{_hint(values, strange, folder, num_classes)}'
        )
    return mask, problems


def _allowed(num_classes: int) -> str:
    few = num_classes <= MOST_COLUMNS
    return ', '.join(map(str, range(num_classes + 1))) if few else f'0 to {num_classes}'


def _hint(
    values: list[int], strange: list[int], folder: str | os.PathLike, num_classes: int
) -> str:
    if strange and (num_classes > 1 or IGNORE not in values):
        return f'; no class (a column of {TABLE}) has the value {strange[0]}; is one missing?'
    if num_classes > 1:
        return '; black and white, but 255 means "ignore" here: white is none of the classes'
    return (
        '; 255 means "ignore" here. If white is smoke, convert the folder once: '
        f'python tools/dataset_converters/white_to_one.py {folder}'
    )


def _shorten(values: Sequence[int], most: int = 6) -> str:
    shown = ', '.join(map(str, values[:most]))
    return f'{shown}, … ({len(values)} values)' if len(values) > most else shown
