"""Looks at a whole data set at once: every problem, and what is in it."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmsmoke.datasets.masks import mask_problems_of_each
from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.datasets.table import (
    Row,
    balance_problems,
    group_of,
    read_lines,
    read_table,
    spread,
)
from mmsmoke.datasets.writer import narrow_tables
from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError
from mmsmoke.utils.clips import clip_of
from mmsmoke.utils.threads import in_threads

from .near_duplicates import NUM_BITS, close_pairs, perceptual_hash
from .shortcuts import Probe, image_statistics, probe
from .split_names import NEEDED, split_problems, split_warnings
from .strays import mask_file_problems, stray_images, stray_masks

ALARMING = 70.0
"""Percent of labels that image statistics alone may predict before there is a warning."""
RAREST = 0.1
"""Share of training images below which there is a warning; for K classes a K-th of it."""
MOST_PROBED = 100_000
"""Images with a class, and as many without, by which it is probed; for K classes a K-th of them."""
MOST_STRETCHED = 4.0
"""Longer side of an image by its shorter one, above which there is a warning."""


@dataclass(frozen=True)
class _Look:
    """Hold what one look at an image tells."""

    size: tuple[int, int]  # width and height, as displayed
    statistics: list[float]
    hash: np.ndarray


@dataclass
class Report:
    """Hold problems and warnings, one line each, and the rows that are good enough to count.

    ``sizes`` are (width, height) as displayed, by image; ``masks`` names the images with a mask;
    ``probes`` tell for each class how well image statistics predict it.
    """

    classes: Sequence[str]
    problems: list[str]
    rows: list[Row] = field(default_factory=list)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    masks: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    probes: dict[str, Probe] = field(default_factory=dict)

    def tables(self) -> list[tuple[list[str], list[list]]]:
        """Return the :meth:`table` or, for many classes, two that are not as wide."""
        return narrow_tables(*self.table(), self.classes)

    def table(self) -> tuple[list[str], list[list]]:
        """Return header and a row a split: images, positives of each class, masks, their sizes."""
        lines = []
        for split in dict.fromkeys(row.split for row in self.rows):
            rows = [row for row in self.rows if row.split == split]
            positive = [sum(row.labels[k] for row in rows) for k in range(len(self.classes))]
            masks = sum(row.image in self.masks for row in rows)
            sizes = [self.sizes[row.image] for row in rows if row.image in self.sizes]
            lines.append([split, len(rows), *positive, masks, _sizes_in_words(sizes)])
        return ['split', 'images', *self.classes, 'masks', 'sizes'], lines

    def probe_table(self) -> tuple[list[str], list[list]]:
        """Return header and a row a class: how well image statistics predict it, in percent."""
        header = ['class', 'image statistics predict it, %', 'best of them', 'alone, %']
        lines = [
            [name, round(found.accuracy), found.most_telling[0], round(found.most_telling[1])]
            for name, found in self.probes.items()
        ]
        return header, lines


def check_dataset(
    root: str | os.PathLike,
    classes: Sequence[str] = ('smoke',),
    masks: str | os.PathLike | None = None,
    splits: Sequence[str] = NEEDED,
) -> Report:
    """Decodes every image and looks at every mask.

    Args:
        root: folder with labels.csv.
        classes: its columns that are classes.
        masks: folder of masks to learn from, such as pseudo labels, in which a split has either
            a mask for each image or none at all; by default the true masks in ``root/masks``,
            which may be there for some images only.
        splits: those that must be there.
    """
    try:
        named = [line for line in read_lines(root, classes) if isinstance(line, Row)]
        rows, problems = read_table(root, classes)
    except DataError as error:
        return Report(classes, [str(error)])
    looks, unreadable = _look_at_all(Path(root), rows)
    folder = Path(root) / 'masks' if masks is None else Path(masks)
    masked = {row.image for row in rows if (folder / row.mask_name).is_file()}
    train = [row for row in rows if row.split == 'train']
    readable = [row for row in rows if row.image in looks]
    wrong = mask_problems_of_each(root, folder, readable, len(classes))
    problems += split_problems(named, splits)
    problems += unreadable
    problems += balance_problems(train, classes, 'train') if train else []
    problems += _coverage_problems(rows, masked, folder) if masks is not None else []
    problems += mask_file_problems(folder, named)
    problems += chain.from_iterable(wrong)
    if masks is None:
        sound = [
            row
            for row, found in zip(readable, wrong, strict=True)
            if row.image in masked and not found
        ]
        problems += _contradictions(sound, folder, classes)
    report = Report(classes, problems, rows, masks=masked)
    report.sizes = {image: look.size for image, look in looks.items()}
    report.warnings += split_warnings(named)
    report.warnings += stray_images(Path(root), named)
    report.warnings += stray_masks(folder, named)
    report.warnings += _size_warnings(report.sizes)
    report.warnings += _balance_warnings(train, classes)
    report.warnings += _leak_warnings(readable, looks)
    report.probes = _probes([row for row in readable if row.split == 'train'], looks, classes)
    for name, found in report.probes.items():
        if found.accuracy > ALARMING:
            report.warnings.append(
                f'image statistics alone predict {name} with {found.accuracy:.0f} %; a classifier '
                'may learn them instead'
            )
    return report


def _look_at_all(root: Path, rows: list[Row]) -> tuple[dict, list[str]]:
    """Looks at the images that can be decoded, by name, and problems of the others."""

    def look(row: Row) -> _Look | str:
        path = root / row.image
        try:
            image = read_image(path, row.number)
        except DataError as error:
            return str(error)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return _Look(image.shape[1::-1], image_statistics(path, image), perceptual_hash(grey))

    found = in_threads(look, rows, 'images')
    looks = {row.image: x for row, x in zip(rows, found, strict=True) if isinstance(x, _Look)}
    return looks, [problem for problem in found if isinstance(problem, str)]


def _contradictions(rows: list[Row], folder: Path, classes: Sequence[str]) -> Iterator[str]:
    """List true masks that show what the label denies, or lack what it says.

    A frame of a clip may lack it: the label is that of the whole clip.
    """
    for row in rows:
        values = np.unique(read_mask(folder / row.mask_name))
        for k, (name, label) in enumerate(zip(classes, row.labels, strict=True)):
            shown = k + 1 in values
            if shown and not label:
                yield f'{row.where}: {name} is 0, but its mask has {name}'
            elif label and not shown and IGNORE not in values and clip_of(row.columns) is None:
                yield f'{row.where}: {name} is 1, but its mask has none'


def _size_warnings(sizes: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Warn of images that a network sees distorted, and of those that take long to decode."""
    stretched = [name for name, size in sizes.items() if max(size) > MOST_STRETCHED * min(size)]
    huge = [name for name, (w, h) in sizes.items() if w * h > Image.MAX_IMAGE_PIXELS]
    for found, what in (
        (stretched, f'longer than {MOST_STRETCHED:g} times their width, which configs make square'),
        (huge, f'of more than {Image.MAX_IMAGE_PIXELS / 1e6:.0f} million pixels, slow to load'),
    ):
        if found:
            width, height = sizes[found[0]]
            yield f'images {what}: {len(found)}, such as {found[0]} ({width}x{height})'


def _balance_warnings(train: list[Row], classes: Sequence[str]) -> Iterator[str]:
    for k, name in enumerate(classes):
        positive = sum(row.labels[k] for row in train)
        rarer = min(positive, len(train) - positive)
        if 0 < rarer < RAREST / len(classes) * len(train):
            yield f'{positive} of {len(train)} training images have {name}'


def _leak_warnings(rows: list[Row], looks: dict[str, _Look]) -> Iterator[str]:
    """Warn of images of different splits that show the same."""
    hashes = np.array([looks[row.image].hash for row in rows], bool).reshape(-1, NUM_BITS)
    counts, first = Counter(), {}  # of a camera that does not move there may be millions
    for i, j in close_pairs(hashes, groups=[row.split for row in rows]):
        splits = frozenset((rows[i].split, rows[j].split))
        counts[splits] += 1
        first.setdefault(splits, (rows[i], rows[j]))
    for splits, (one, other) in first.items():
        yield (
            f'{counts[splits]} pairs of images in {one.split} and {other.split} look alike, such '
            f'as {one.image} and {other.image}'
        )


def _probes(rows: list[Row], looks: dict[str, _Look], classes: Sequence[str]) -> dict[str, Probe]:
    statistics = np.array([looks[row.image].statistics for row in rows])
    groups = [group_of(row.columns, row.image) for row in rows]
    labels = {name: [row.labels[k] for row in rows] for k, name in enumerate(classes)}
    most = MOST_PROBED // len(classes)
    probes = {}
    for name, values in labels.items():
        if len(set(values)) == 2:
            chosen = _spread_of_both(values, most)
            probes[name] = probe(
                statistics[chosen], [values[k] for k in chosen], [groups[k] for k in chosen]
            )
    return probes


def _spread_of_both(labels: Sequence[int], most: int) -> list[int]:
    """Choose at most so many positives, and so many negatives, evenly spread."""
    of_label = [[k for k, label in enumerate(labels) if label == value] for value in (0, 1)]
    return sorted(one[k] for one in of_label for k in spread(len(one), most))


def _coverage_problems(rows: list[Row], masked: set[str], folder: Path) -> Iterator[str]:
    if not masked:
        yield f'{folder} has no mask of any image'
    begun = {row.split for row in rows if row.image in masked}
    for row in rows:
        if row.split in begun and row.image not in masked:
            yield f'{folder / row.mask_name} not found: no mask for {row.where}'


def _sizes_in_words(sizes: list[tuple[int, int]]) -> str:
    if not sizes:
        return '-'
    counts = Counter(sizes)
    if len(counts) <= 3:
        return ', '.join(f'{width}x{height}' for (width, height), _ in counts.most_common())
    width, height = zip(*sizes, strict=True)
    return f'{min(width)}-{max(width)} x {min(height)}-{max(height)}'
