"""Draw where chimneys stand: cameras do not move, so a few polygons a view serve all its images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmsmoke.datasets.smokestack.writer import CONTEXT_PALETTE
from mmsmoke.datasets.table import Row, displayed_size, read_table
from mmsmoke.utils import DataError, UserError, read_json, save_png

from .coco import fill_polygon


@dataclass(frozen=True)
class Companions:
    """Hold what a file of polygons says.

    ::

        {"view": ["camera"], "size": [1920, 1080],
         "polygons": {"kooks_2": [[[310, 200], [330, 200], [335, 520], [305, 520]], ...]}}

    Attributes:
        view: columns of labels.csv whose values, joined by a blank, name a view.
        size: width and height of the pictures that were drawn on; each image's own if None.
        polygons: view -> polygons of (x, y).
    """

    view: tuple[str, ...]
    size: tuple[int, int] | None
    polygons: Mapping[str, Sequence]

    @classmethod
    def read(cls, path: Path) -> 'Companions':
        content = read_json(path)
        try:
            view, size = content['view'], content.get('size')
            if not isinstance(view, list) or not all(isinstance(name, str) for name in view):
                raise TypeError('view must be a list of columns')
            polygons = {
                view: [_polygon(one) for one in polygons]
                for view, polygons in content['polygons'].items()
            }
            if size is not None:
                size = width, height = tuple(map(int, size))
                if min(width, height) < 1:
                    raise ValueError(f'size must be positive, not {size}')
            return cls(tuple(view), size, polygons)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise DataError(f'{path} is no file of polygons: {error!r}') from error

    def mask(self, row: Row, width: int, height: int) -> np.ndarray | None:
        """Return uint8 [H, W], 1 on companions; None for a view that the file does not have.

        Rows with the columns x, y and side are square windows of the pictures that were drawn on.
        """
        polygons = self.polygons.get(self.view_of(row))
        if polygons is None:
            return None
        mask = np.zeros((height, width), np.uint8)
        if row.columns.get('side'):
            x, y, side = (_number(row, name) for name in ('x', 'y', 'side'))
            offset, scale = (x, y), (width / side, height / side)
        else:
            wide, high = self.size or (width, height)
            offset, scale = (0, 0), (width / wide, height / high)
        for polygon in polygons:
            corners = (polygon - offset) * scale
            fill_polygon(mask, np.round(corners), f'a polygon of {self.view_of(row)!r}')
        return mask

    def view_of(self, row: Row) -> str:
        try:
            return ' '.join(row.columns[name] for name in self.view)
        except KeyError as error:
            raise DataError(f'labels.csv has no column {error.args[0]!r} to tell views') from error


def _number(row: Row, column: str) -> float:
    try:
        return float(row.columns[column])
    except (KeyError, ValueError) as error:
        value = row.columns.get(column)
        raise DataError(f'{row.where}: {column} must be a number, got {value!r}') from error


def _polygon(corners: Sequence) -> np.ndarray:
    polygon = np.array(corners, np.float64)
    if polygon.ndim != 2 or len(polygon) < 3 or polygon.shape[1] != 2:
        raise ValueError(f'a polygon is a list of at least three [x, y], not {corners}')
    if not np.isfinite(polygon).all():
        raise ValueError(f'{corners} is not finite')
    return polygon


def draw_companions(
    root: str | Path,
    polygons: str | Path,
    classes: Sequence[str] = ('smoke',),
    overwrite: bool = False,
) -> dict[str, int]:
    """Write ``context/`` of a data set; return the number of masks of each view.

    Raises:
        UserError: before anything is written, if the file has a view that the data set lacks, or
            the data set has a context that is not to be overwritten.
    """
    root, companions = Path(root), Companions.read(Path(polygons))
    rows, problems = read_table(root, classes)
    if problems:
        raise DataError(f'{root}: {problems[0]}')
    views = [companions.view_of(row) for row in rows]
    unknown = sorted(set(companions.polygons) - set(views))
    if unknown:
        raise UserError(
            f'{polygons}: the data set has no view {unknown[0]!r}, but {sorted(set(views))}'
        )
    if (root / 'context').exists() and not overwrite:
        raise UserError(f'{root}/context exists; pass --overwrite to replace masks in it')
    counts = dict.fromkeys(views, 0)
    for row, view in zip(rows, views, strict=True):
        mask = companions.mask(row, *displayed_size(root / row.image))
        if mask is not None:
            save_png(root / 'context' / row.mask_name, mask, CONTEXT_PALETTE)
            counts[view] += 1
    return counts
