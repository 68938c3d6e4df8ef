"""Read and write polygons of camera views: cameras do not move, so a few serve all images.

::

    {"view": ["camera"], "size": [1920, 1080],
     "polygons": {"north": [[[310, 200], [330, 200], [335, 520], [305, 520]]], "gate": []},
     "zones": {"north": [[[0, 0], [1919, 0], [1919, 700], [0, 700]]]},
     "ignored": {"north": [[[1500, 60], [1900, 60], [1900, 110], [1500, 110]]]}}

``polygons`` are companions such as chimneys, ``zones`` is where smoke is looked for, ``ignored``
where nothing counts, such as a clock in the picture. ``zones`` and ``ignored`` may be missing.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.utils import DataError, UserError, atomic_path, read_json

from .table import Row

KINDS = ('polygons', 'zones', 'ignored')
FARTHEST = 2**15
"""Pixels from the origin to a corner at most; far beyond, OpenCV ends the process."""


@dataclass(frozen=True)
class ViewPolygons:
    """Hold what a file of polygons says.

    Attributes:
        view: columns of labels.csv whose values, joined by a blank, name a view.
        size: width and height of the pictures that were drawn on; each image's own if None.
        polygons, zones, ignored: view -> polygons of (x, y).
    """

    view: tuple[str, ...]
    size: tuple[int, int] | None
    polygons: Mapping[str, Sequence]
    zones: Mapping[str, Sequence] = field(default_factory=dict)
    ignored: Mapping[str, Sequence] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | os.PathLike) -> 'ViewPolygons':
        content = read_json(path)
        try:
            return cls._parsed(content)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise DataError(f'{path} is no file of polygons: {error!r}') from error

    @classmethod
    def _parsed(cls, content: Mapping) -> 'ViewPolygons':
        view, size = content['view'], content.get('size')
        if not isinstance(view, list) or not all(isinstance(name, str) for name in view):
            raise TypeError('view must be a list of columns')
        found = {
            kind: {
                name: [_polygon(one) for one in polygons]
                for name, polygons in (
                    content[kind] if kind == 'polygons' else content.get(kind, {})
                ).items()
            }
            for kind in KINDS
        }
        if size is not None:
            size = width, height = tuple(map(int, size))
            if min(width, height) < 1:
                raise ValueError(f'size must be positive, not {size}')
        return cls(tuple(view), size, **found)

    def view_of(self, row: Row) -> str:
        try:
            return ' '.join(row.columns[name] for name in self.view)
        except KeyError as error:
            raise DataError(f'labels.csv has no column {error.args[0]!r} to tell views') from error

    def place(self, row: Row, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what to subtract from the file's coordinates, and what to multiply with then.

        Rows with the columns x, y and side are square windows of the pictures that were drawn on.
        """
        if row.columns.get('side'):
            x, y, side = (_number(row, name) for name in ('x', 'y', 'side'))
            return np.array([x, y]), np.array([width / side, height / side])
        wide, high = self.size or (width, height)
        return np.zeros(2), np.array([width / wide, height / high])


def zone_masks(
    file: str | os.PathLike | ViewPolygons, view: str, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return where a view of this size is watched, and where it is to be ignored; bool [H, W] both.

    A view without zones is watched all over.

    Raises:
        UserError: if the file names views, but not this one, which may be misspelt, or if a polygon
            of it lies outside of the picture.
    """
    found = file if isinstance(file, ViewPolygons) else ViewPolygons.read(file)
    zones, ignored = areas_of(found, view)
    scale = np.array([width, height]) / (found.size or (width, height))
    for polygon in (*zones, *ignored):
        corners = polygon * scale
        if (corners.max(0) < 0).any() or (corners.min(0) >= (width, height)).any():
            raise UserError(
                f'an area of {view!r} lies outside of a picture of {width} x {height}: '
                f'{polygon.tolist()}; was it drawn in a larger one?'
            )
    return _masks(view, (zones, ignored), (np.zeros(2), scale), width, height)


def zone_masks_of(
    file: ViewPolygons, row: Row, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of the picture of a row, which may be a window of what was drawn on."""
    if not row.columns.get('side'):
        return zone_masks(file, file.view_of(row), width, height)
    view = file.view_of(row)
    return _masks(view, areas_of(file, view), file.place(row, width, height), width, height)


def areas_of(file: ViewPolygons, view: str) -> tuple[Sequence, Sequence]:
    """Return the polygons of a view that are watched, and those that are ignored.

    Raises:
        UserError: if the file names views, but not this one, which may be misspelt.
    """
    known = sorted({name for kind in KINDS for name in getattr(file, kind)})
    if known and view not in known:
        raise UserError(
            f'no view {view!r} has been drawn, but {known}: is it misspelt? Draw it with '
            f'tools/label.py; {json.dumps({view: []})} in "zones" watches all of it'
        )
    return file.zones.get(view, ()), file.ignored.get(view, ())


def _masks(
    view: str, areas: tuple, place: tuple, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    offset, scale = place
    zones, ignored = ([(one - offset) * scale for one in polygons] for polygons in areas)
    watched = draw_polygons(zones, width, height, f'a zone of {view!r}')
    out = draw_polygons(ignored, width, height, f'an area of {view!r}')
    return (watched > 0) | (not zones), out > 0


def draw_polygons(
    polygons: Sequence[np.ndarray], width: int, height: int, where: str
) -> np.ndarray:
    """Return uint8 [H, W], 1 inside of polygons [N, 2] as (x, y) and on their outlines."""
    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        fill_polygon(mask, np.round(polygon), where)
    return mask


def write_view(
    path: str | os.PathLike,
    columns: Sequence[str],
    size: Sequence[int] | None,
    view: str,
    drawn: Mapping[str, Sequence],
) -> None:
    """Replace what a file says of one view; begin the file if there is none.

    Args:
        columns, size: of a file that is new.
        drawn: polygons by kind. One without any is left out, unless the file names the view there:
            that a view has no chimney is worth knowing, and not to be said unasked.
    """
    path = Path(path)
    if path.exists():
        ViewPolygons.read(path)  # says what is wrong with it
        content = read_json(path)
    else:
        content = dict(view=list(columns), **({} if size is None else dict(size=list(size))))
    for kind in KINDS:
        views = content.setdefault(kind, {})
        try:
            polygons = [_polygon(one).round(1).tolist() for one in drawn[kind]]
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise DataError(f'this cannot be drawn: {error}') from error
        for polygon in polygons:
            require_near(np.array(polygon), 'a polygon')
        if polygons or view in views:
            views[view] = polygons
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content) + '\n', encoding='utf-8')


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


def fill_polygon(mask: np.ndarray, corners: np.ndarray, where: str) -> None:
    """Set the pixels of a mask [H, W] inside a polygon to 1, and those that its outline touches.

    Args:
        corners: [N, 2] as (x, y); parts outside the picture are cut off.
        where: what to call the polygon in an error.
    """
    require_near(corners, where)
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1)


def require_near(corners: np.ndarray, where: str) -> None:
    """Raise for corners so far away that OpenCV would end the process."""
    if np.abs(corners).max(initial=0) > FARTHEST:
        raise DataError(f'{where}: a corner lies more than {FARTHEST} pixels from the origin')
