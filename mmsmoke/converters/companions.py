"""Draw where chimneys stand: cameras do not move, so a few polygons a view serve all its images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmsmoke.datasets.smokestack.writer import CONTEXT_PALETTE
from mmsmoke.datasets.table import Row, displayed_size, read_table
from mmsmoke.datasets.zones import ViewPolygons, draw_polygons
from mmsmoke.utils import DataError, UserError, save_png


def companion_mask(file: ViewPolygons, row: Row, width: int, height: int) -> np.ndarray | None:
    """Return uint8 [H, W], 1 on companions; None for a view that the file does not have."""
    view = file.view_of(row)
    if view not in file.polygons:
        return None
    offset, scale = file.place(row, width, height)
    polygons = [(polygon - offset) * scale for polygon in file.polygons[view]]
    return draw_polygons(polygons, width, height, f'a polygon of {view!r}')


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
    root, companions = Path(root), ViewPolygons.read(Path(polygons))
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
        mask = companion_mask(companions, row, *displayed_size(root / row.image))
        if mask is not None:
            save_png(root / 'context' / row.mask_name, mask, CONTEXT_PALETTE)
            counts[view] += 1
    return counts
