"""Say where in a picture smoke is looked for."""

import os
from pathlib import Path

import numpy as np

from mmsmoke.datasets.table import TABLE, Row, read_lines
from mmsmoke.datasets.zones import ViewPolygons, zone_masks, zone_masks_of
from mmsmoke.utils import UserError

from .frames import Item


class Zones:
    """Find the area of pictures that is watched and not ignored.

    Which view a picture shows, labels.csv says by the file's columns where the picture is one of a
    data set. All others show the view that has an empty name.

    Args:
        path: file of zones, see :mod:`mmsmoke.datasets.zones`.
    """

    def __init__(self, path: str | os.PathLike):
        self.path, self.file = Path(path), ViewPolygons.read(path)
        self._rows: dict[Path, dict[str, Row]] = {}

    def area(self, item: Item | None, height: int, width: int) -> np.ndarray:
        """Return bool [H, W] of a picture; of a frame of a video, where the item is None."""
        row = None if item is None else self._row(item)
        if row is None:
            watched, ignored = zone_masks(self.file, '', width, height)
        else:
            watched, ignored = zone_masks_of(self.file, row, width, height)
        area = watched & ~ignored
        if not area.any() and not (row and row.columns.get('side')):
            name = '' if item is None else f'{item.name}: '
            raise UserError(f'{name}{self.path} leaves nothing of the picture to look at')
        return area

    def _row(self, item: Item) -> Row | None:
        if isinstance(item.source, np.ndarray):
            return None
        path = Path(os.path.abspath(item.source))
        root = next((one for one in path.parents if (one / TABLE).is_file()), None)
        if root is None:
            return None
        if root not in self._rows:
            rows = [row for row in read_lines(root, ()) if isinstance(row, Row)]
            self._rows[root] = {row.image: row for row in rows}
        row = self._rows[root].get(path.relative_to(root).as_posix())
        if row is None and self.file.view:
            raise UserError(f'{item.source} has no row in {root / TABLE}, which tells views apart')
        return row
