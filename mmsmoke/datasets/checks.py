"""Looks at a whole data set at once: every problem, and what is in it."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from mmsmoke.utils import DataError

from .table import Row, balance_problems, mask_problems, read_table
from .transforms import LoadImage


@dataclass
class Report:
    """Problems, one line each, and the rows that are good enough to be counted.

    ``sizes`` are (width, height) as displayed, by image; ``masks`` names the images with a mask.
    """

    classes: Sequence[str]
    problems: list[str]
    rows: list[Row] = field(default_factory=list)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    masks: set[str] = field(default_factory=set)

    def table(self) -> tuple[list[str], list[list]]:
        """Header and a row a split: images, positives of each class, masks, and their sizes."""
        lines = []
        for split in dict.fromkeys(row.split for row in self.rows):
            rows = [row for row in self.rows if row.split == split]
            positive = [sum(row.labels[k] for row in rows) for k in range(len(self.classes))]
            masks = sum(row.image in self.masks for row in rows)
            sizes = [self.sizes[row.image] for row in rows if row.image in self.sizes]
            lines.append([split, len(rows), *positive, masks, _sizes_in_words(sizes)])
        return ['split', 'images', *self.classes, 'masks', 'sizes'], lines


def check_dataset(
    root: str | os.PathLike,
    classes: Sequence[str] = ('smoke',),
    masks: str | os.PathLike | None = None,
    progress: bool = False,
) -> Report:
    """Decodes every image and looks at every mask.

    Args:
        root: folder with labels.csv.
        classes: its columns that are classes.
        masks: folder of masks to learn from, such as pseudo labels, in which a split has either
            a mask for each image or none at all; by default the true masks in ``root/masks``,
            which may be there for some images only.
        progress: show a bar on standard error.
    """
    try:
        rows, problems = read_table(root, classes)
    except DataError as error:
        return Report(classes, [str(error)])
    sizes, unreadable = _decode(Path(root), rows, progress)
    folder = Path(root) / 'masks' if masks is None else Path(masks)
    masked = {row.image for row in rows if (folder / row.mask_name).is_file()}
    train = [row for row in rows if row.split == 'train']
    problems += unreadable
    problems += balance_problems(train, classes, 'train') if train else []
    problems += _coverage_problems(rows, masked, folder) if masks is not None else []
    readable = [row for row in rows if row.image in sizes]
    problems += mask_problems(root, folder, readable, len(classes))
    return Report(classes, problems, rows, sizes, masked)


def _decode(root: Path, rows: list[Row], progress: bool) -> tuple[dict, list[str]]:
    """Sizes of the images that can be decoded, problems of the others."""
    load = LoadImage()

    def size_or_problem(row: Row) -> tuple[int, int] | str:
        try:
            return load.transform(dict(img_path=str(root / row.image), row=row.number))['ori_shape']
        except DataError as error:
            return str(error)

    with ThreadPoolExecutor() as pool:
        found = pool.map(size_or_problem, rows)
        found = list(tqdm(found, 'images', len(rows), leave=False, disable=not progress))
    pairs = list(zip(rows, found, strict=True))
    sizes = {row.image: size[::-1] for row, size in pairs if not isinstance(size, str)}
    return sizes, [problem for problem in found if isinstance(problem, str)]


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
