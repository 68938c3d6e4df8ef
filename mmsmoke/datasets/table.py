"""Reads labels.csv and finds everything that is wrong with it.

The data set class raises the first problem of the table, of whatever split; the checking tool
lists all. Every problem names the file, and the row of labels.csv where there is one.
"""

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from mmsmoke.utils import DataError

from .labels import label_of

TABLE = 'labels.csv'
IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
"""Endings, in lower case, of the files that count as images everywhere."""
GROUPS = ('group', 'scene', 'video', 'clip')
"""Columns that tell which images belong together; of an image, the first that is not empty."""
OPACITIES = ('high_opacity', 'low_opacity')
"""Classes of IJmond, converted with ``--opacity classes``."""
MOST_COLUMNS = 6
"""Classes at most that have a column each in a table of splits."""
SYNTHETIC = 'synthetic'
"""Marks the composites of SMOKE5K in the column ``kind``."""


@dataclass(frozen=True)
class Row:
    """Hold one image. ``number`` is its line in labels.csv, the header being line 1."""

    number: int
    image: str
    split: str
    labels: tuple[int, ...]
    columns: dict[str, str]

    @property
    def where(self) -> str:
        return f'{TABLE} row {self.number} ({self.image})'

    @property
    def mask_name(self) -> str:
        return mask_name_of(self.image)


def group_of(columns: Mapping[str, str], image: str) -> str:
    """Return the group of an image; without any such column it is a group of its own."""
    return next((columns[name] for name in GROUPS if columns.get(name)), image)


def lot_of(columns: Mapping[str, str], image: str) -> float:
    """Return the lot of an image, from 0 to below 1: that of its group, the same in every run."""
    name = group_of(columns, image).encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:6], 'big') / 2**48


def mask_name_of(image: str) -> str:
    """Return the name of an image's PNG within any folder of masks."""
    path = PurePosixPath(image)
    parts = path.parts[1:] if path.parts[0] == 'images' else path.parts
    return str(PurePosixPath(*parts).with_suffix('.png'))


def lies_inside(name: str | PurePosixPath) -> bool:
    """Tell whether a path that is taken from a folder on leads nowhere outside of it."""
    path = PurePosixPath(name)
    return not path.is_absolute() and '..' not in path.parts


def require_own_masks(images: Iterable[tuple[str, str | os.PathLike]]) -> None:
    """Raise if two images would share a mask.

    Args:
        images: the name of each, in labels.csv or below a folder, and what an error calls it.
    """
    first = {}
    for name, said in images:
        other_name, other = first.setdefault(mask_name_of(name), (name, said))
        if other_name != name:
            raise DataError(f'{other} and {said} would share a mask; rename one')


def read_table(root: str | os.PathLike, classes: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Returns the good rows and the problems of the others.

    Raises:
        DataError: if there is no table, or none that could be read at all.
    """
    rows, problems, seen = [], [], {}
    lines = read_lines(root, classes)
    for row in lines:
        is_row = isinstance(row, Row)
        found = list(_row_problems(Path(root), row, classes, seen)) if is_row else [row]
        problems += found
        if not found:
            labels = {name: label_of(row.columns[name]) for name in classes}
            cells = {name: str(label) for name, label in labels.items()}
            rows.append(replace(row, labels=tuple(labels.values()), columns=row.columns | cells))
    if not lines:
        problems.append(f'{Path(root) / TABLE} has no rows')
    return rows, problems


def read_lines(root: str | os.PathLike, classes: Sequence[str]) -> list[Row | str]:
    """Returns each row without its labels, or the problem of one that does not fit the header.

    Raises:
        DataError: as :func:`read_table`.
    """
    header, lines = read_cells(root, classes)
    return [_row(number, header, cells) for number, cells in lines]


def read_cells(
    root: str | os.PathLike, classes: Sequence[str]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and the number and cells of each line below them.

    Raises:
        DataError: as :func:`read_table`.
    """
    path = Path(root) / TABLE
    if not path.is_file():
        raise DataError(
            f'{path} not found: a data set is a folder with {TABLE} (image,split,'
            f'{",".join(classes)}) and images/'
        )
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except OSError as error:
        raise DataError(f'{path} cannot be read: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise DataError(f'{path} is not a UTF-8 csv file: {error}') from error
    except csv.Error as error:
        raise DataError(
            f'{path} row {reader.line_num} is no csv ({error}); is there a quotation mark too few?'
        ) from error
    lines = [(number, cells) for number, cells in lines if cells not in ([], [''])]
    header = lines.pop(0)[1] if lines else []
    while header and not header[-1]:
        header.pop()
    _check_header(path, header, classes)
    return header, lines


def _check_header(path: Path, header: list[str], classes: Sequence[str]) -> None:
    hint = ' (columns are separated by commas)' if len(header) == 1 else ''
    there = f'it has: {" ".join(", ".join(header).split())}{hint}'
    for name in ('image', 'split'):
        if name not in header:
            raise DataError(f'{path} row 1 has no column {name!r}; {there}')
    for name in classes:
        if name not in header:
            raise DataError(f'{path} row 1 has no column for class {name!r}; {there}')
    for name in filter(None, header):
        if header.count(name) > 1:
            raise DataError(f'{path} row 1 names the column {name!r} twice')


def _row(number: int, header: list[str], cells: list[str]) -> Row | str:
    if len(cells) < len(header):
        return f'{TABLE} row {number} has {len(cells)} of {len(header)} cells'
    if any(cells[len(header) :]):
        return (
            f'{TABLE} row {number} has {len(cells)} cells for {len(header)} columns; '
            'a cell with a comma in it needs quotation marks'
        )
    columns = {name: cell for name, cell in zip(header, cells, strict=False) if name}
    return Row(number, columns['image'], columns['split'], (), columns)


def _row_problems(root: Path, row: Row, classes: Sequence[str], seen: dict) -> Iterator[str]:
    if not row.image or not row.split:
        yield f'{TABLE} row {row.number}: empty image or split'
        return
    if len(f'{row.image} {row.split}'.splitlines()) > 1:
        yield f'{TABLE} row {row.number}: line break in image or split; see the quotation marks'
        return
    path = PurePosixPath(row.image)
    if not lies_inside(row.image):
        yield f'{row.where}: the path must lie inside the data set'
        return
    if path in (PurePosixPath(), PurePosixPath('images')) or os.path.isdir(root / path):
        yield f'{row.where}: this is a folder, not an image'
        return
    first = seen.setdefault(row.mask_name, row)
    if first is not row:
        same = 'is' if first.image == row.image else 'would share its mask with'
        yield f'{row.where}: duplicate, {same} the image of row {first.number} ({first.image})'
    for name in classes:
        try:
            label_of(row.columns[name])
        except DataError as error:
            yield f'{row.where}: {name} {error}'
    if path.suffix.lower() not in IMAGES:
        yield f'{row.where}: an image must end in one of {", ".join(IMAGES)}'
    elif not os.path.isfile(root / path):  # which is False for impossible names, too
        yield f'{row.where}: image file not found in {root}'


def choose_split(rows: Sequence[Row], split: str | Sequence[str]) -> list[Row]:
    """Return the rows of one or several splits; raise DataError for one that no row has."""
    wanted = [split] if isinstance(split, str) else list(split)
    present = sorted({row.split for row in rows})
    for name in wanted:
        if name not in present:
            raise DataError(f'{TABLE} has no split {name!r}; it has: {", ".join(present)}')
    return [row for row in rows if row.split in wanted]


def spread(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers below ``count``, evenly spaced."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()


def balance_problems(rows: Sequence[Row], classes: Sequence[str], split: str) -> Iterator[str]:
    """Report classes without both kinds of image, which a classifier needs."""
    for k, name in enumerate(classes):
        for value, word in ((1, 'positive'), (0, 'negative')):
            if not any(row.labels[k] == value for row in rows):
                yield f'{TABLE}: split {split!r} has no {word} image for class {name!r}'


def displayed_size(image: Path) -> tuple[int, int]:
    """Read (width, height) from the header, after the rotation that EXIF or XMP asks for."""
    with Image.open(image) as file:
        # PNG's own getexif would decode the whole file in search of a late chunk; the size of a
        # TIFF is that after the rotation
        turned = file.format != 'TIFF' and Image.Image.getexif(file).get(0x0112, 1) >= 5
        return file.size[::-1] if turned else file.size
