"""Look at large pictures tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from mmsmoke.functional import merge_tiles, tile_boxes
from mmsmoke.utils import UserError

from .frames import Item

if TYPE_CHECKING:
    from .finder import Finder
    from .inputs import Prepared

SHARE = 8
"""How many times a tile is as long as its overlap, where a user names none."""


@dataclass(frozen=True)
class Tiling:
    """Say how pictures are cut into tiles.

    Args:
        tile: side of the tiles, in pixels of the picture as it was loaded.
        overlap: what neighbours share at least; an eighth of the tile by default.
    """

    tile: int
    overlap: int | None = None

    def __post_init__(self):
        if self.tile < 1:
            raise UserError(f'tile must be at least 1, got {self.tile}')
        if self.overlap is None:
            object.__setattr__(self, 'overlap', self.tile // SHARE)
        if not 0 <= self.overlap < self.tile:
            raise UserError(
                f'overlap must be at least 0 and less than the tile of {self.tile}, '
                f'got {self.overlap}'
            )

    def cuts(self, picture: np.ndarray) -> bool:
        """Return whether a picture [H, W, …] is larger than a tile."""
        return max(picture.shape[:2]) > self.tile

    def tiles_of(self, picture: np.ndarray) -> Iterator[np.ndarray]:
        """Yield views of a picture [H, W, …]; all have one size."""
        for rows, columns in tile_boxes(picture.shape[:2], self.tile, self.overlap):
            yield picture[rows, columns]

    def merge(self, maps: Iterable[Tensor], picture: np.ndarray) -> Tensor:
        """Return maps [K, H, W] of a picture, of those of its tiles."""
        return merge_tiles(maps, picture.shape[:2], self.tile, self.overlap)


def require_wide_enough(tile: int, finder: Finder, prepare: Callable[[Item], Prepared]) -> None:
    """Raise if a network cannot look at a tile, or sees it as one cell of its last feature map."""
    cells = []

    def note(_, __, output) -> None:
        while isinstance(output, list | tuple):
            output = output[-1]
        if isinstance(output, Tensor) and output.ndim == 4:
            cells.append(max(output.shape[2:]))

    backbone = getattr(getattr(finder.model, 'student', finder.model), 'backbone', None)
    handle = backbone.register_forward_hook(note) if backbone is not None else None
    blank = prepare(Item('a tile', np.zeros((tile, tile, 3), np.uint8)))
    try:
        finder.test([blank])
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'the model cannot look at a tile of {tile} pixels: {reason}') from error
    finally:
        if handle is not None:
            handle.remove()
    if max(cells, default=2) < 2:
        height, width = blank.inputs.shape[1:]
        raise UserError(
            f'a tile of {tile} pixels, {width} x {height} after the test pipeline, is one cell of '
            "the model's last feature map; take larger tiles"
        )
