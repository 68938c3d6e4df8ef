"""Choose the few images of a training set whose true masks may be learned from."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError, sha256_of_file

from .pictures import read_mask
from .splitting import shuffled
from .table import Row, group_of

BESIDE = ('all', 'clear', 'nothing')
"""Names what stands beside the images with a true mask: all others of the split, those that are
labelled clear, or none."""
TRAINING = 'train'
"""Names the only split whose true masks may be learned from."""


def check_choice(
    num_masks: int | None, beside: str, split: str | Sequence[str], test_mode: bool
) -> None:
    """Raise for settings of a data set by which no masks can be chosen."""
    if beside not in BESIDE:
        raise DataError(f'beside must be one of {", ".join(BESIDE)}, got {beside!r}')
    if num_masks is None:
        if beside != 'all':
            raise DataError(f'beside={beside!r} needs num_masks, the number of true masks')
        return
    if not isinstance(num_masks, int) or isinstance(num_masks, bool) or num_masks < 1:
        raise DataError(f'num_masks must be a whole number of at least 1, got {num_masks!r}')
    if test_mode:
        raise DataError('num_masks is for training: with test_mode, metrics see all true masks')
    if list([split] if isinstance(split, str) else split) != [TRAINING]:
        raise DataError(
            f'num_masks takes true masks of the split {TRAINING!r} alone, not of {split!r}: masks '
            'of other splits are for validation and tests'
        )


def in_order_of_lot(rows: Sequence[Row], seed: int) -> list[Row]:
    """Order images by lot: one of each group first, then a second of each that has one, and so on.

    The first N of them are N images by lot, and are among any larger number.
    """
    groups = defaultdict(list)
    for row in sorted(rows, key=lambda row: shuffled(row.image, seed)):
        groups[group_of(row.columns, row.image)].append(row)
    turns = zip_longest(*(groups[name] for name in sorted(groups, key=lambda g: shuffled(g, seed))))
    return [row for turn in turns for row in turn if row is not None]


def choose_masks(root: Path, masks: Path, rows: Sequence[Row], number: int, seed: int) -> list[Row]:
    """Return the images, of those that hold a class, whose true masks may be learned from.

    Raises:
        DataError: if fewer masks are there.
    """
    positive = [row for row in rows if any(row.labels)]
    masked = [row for row in positive if (masks / row.mask_name).is_file()]
    if len(masked) < number:
        raise DataError(
            f'{root}: num_masks={number}, but {len(masked)} of the {len(positive)} training images '
            f'with a class have a true mask in {masks}'
        )
    return in_order_of_lot(masked, seed)[:number]


def contradictions(masks: Path, rows: Sequence[Row], classes: Sequence[str]) -> Iterator[str]:
    """Report true masks that show a class which the label of their image denies."""
    for row in rows:
        path = masks / row.mask_name
        if not path.is_file():
            continue
        shown = {int(value) for value in np.unique(read_mask(path))} - {0, IGNORE}
        for k, name in enumerate(classes):
            if k + 1 in shown and not row.labels[k]:
                label = 'clear' if not any(row.labels) else f'without {name}'
                yield (
                    f'{path} ({row.where}): the mask shows {name}, but the image is labelled '
                    f'{label}; correct the label or the mask'
                )


def record_of(masks: Path, rows: Sequence[Row], seed: int) -> dict:
    """Return how many true masks a training sees, and which, in the order of the lot.

    ``sha256`` is that of the names of the images and of their masks' files.
    """
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f'{row.image} {sha256_of_file(masks / row.mask_name)}\n'.encode())
    return dict(
        number=len(rows),
        seed=seed,
        groups=len({group_of(row.columns, row.image) for row in rows}),
        sha256=digest.hexdigest(),
        images=[row.image for row in rows],
    )
