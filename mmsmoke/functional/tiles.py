"""Cut large pictures into overlapping tiles, and merge what was found in these."""

from collections.abc import Iterable, Sequence
from itertools import product

import torch
from torch import Tensor


def tile_starts(length: int, tile: int, overlap: int) -> list[int]:
    """Return where tiles begin along one side, as evenly as pixels allow.

    Neighbours share at least ``overlap`` pixels. A side no longer than a tile has one.
    """
    if length <= tile:
        return [0]
    steps = -(-(length - tile) // (tile - overlap))
    return [step * (length - tile) // steps for step in range(steps + 1)]


def tile_boxes(size: Sequence[int], tile: int, overlap: int) -> list[tuple[slice, slice]]:
    """Return the rows and columns of each tile of a picture (H, W), row by row.

    Tiles are squares, but no longer than the picture along either side.
    """
    sides = [
        [slice(start, min(start + tile, length)) for start in tile_starts(length, tile, overlap)]
        for length in size
    ]
    return list(product(*sides))


def tile_weights(length: int, tile: int, overlap: int) -> Tensor:
    """Return how much each tile counts along one side; at each pixel they add up to one.

    Towards a neighbour, the outer third of the overlap does not count, as networks see the edge of
    the tile there; in the middle third the weight rises. Where only one tile is, it counts fully.

    Returns:
        float32 [N, min(tile, length)]
    """
    starts = tile_starts(length, tile, overlap)
    inside = torch.arange(min(tile, length))
    margin = overlap // 3
    ramp = ((inside + 0.5 - margin) / max(overlap - 2 * margin, 1)).clamp(0, 1)
    weights = torch.ones(len(starts), len(inside))
    if overlap:
        weights[1:] *= ramp
        weights[:-1] *= ramp.flip(0)
    together = torch.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        together[start : start + tile] += weight
    return torch.stack(
        [
            weight / together[start : start + tile]
            for start, weight in zip(starts, weights, strict=True)
        ]
    )


def merge_tiles(maps: Iterable[Tensor], size: Sequence[int], tile: int, overlap: int) -> Tensor:
    """Merge the maps of tiles into those of a picture.

    Maps are taken one after the other: nothing else of the picture's size is held than the result.

    Args:
        maps: [C, h, w] of each of :func:`tile_boxes`, in that order.
        size: (H, W) of the picture.

    Returns:
        float32 [C, H, W]
    """
    rows, columns = (tile_weights(length, tile, overlap) for length in size)
    weights = product(rows, columns)
    boxes = tile_boxes(size, tile, overlap)
    merged = None
    for (down, across), one, (row, column) in zip(boxes, maps, weights, strict=True):
        if merged is None:
            merged = one.new_zeros(len(one), *size, dtype=torch.float32)
        merged[:, down, across] += one.float() * (row[:, None] * column).to(one.device)
    return merged
