"""Outline the connected regions of a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..coco import fill_centres

SIMPLIFY = 0.5
"""Pixels that an outline lies beside the true one by default, at most."""
KEPT = 0.99
"""IoU of each blob with what its outlines enclose by default, at least."""


@dataclass(frozen=True)
class Blob:
    """Hold one connected region of a mask.

    Attributes:
        value: in the mask.
        x, y: of its upper left corner.
        region: bool [height, width], which pixels from there on belong to it.
        outer: its outline [N, 2] as (x, y), along the edges of pixels.
        holes: outlines of what it surrounds, in the other sense of rotation.
    """

    value: int
    x: int
    y: int
    region: np.ndarray
    outer: np.ndarray
    holes: tuple[np.ndarray, ...]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return x, y, width and height."""
        return self.x, self.y, self.region.shape[1], self.region.shape[0]

    @property
    def area(self) -> int:
        """Count its pixels."""
        return int(np.count_nonzero(self.region))


def blobs_of(mask: np.ndarray, simplify: float | None = None, min_area: int = 0) -> list[Blob]:
    """Return the regions of a mask, uint8 [H, W]; what surrounds another comes before it.

    Args:
        simplify: pixels that an outline may lie beside the true one. With 0, filling the outlines
            gives the mask again, pixel by pixel. By default it is :data:`SIMPLIFY`, and 0 for blobs
            so small or thin that their IoU would fall below :data:`KEPT`.
        min_area: regions of fewer pixels are left out, and holes of fewer pixels are closed.
    """
    found = []
    for value in np.unique(mask[mask > 0]).tolist():
        # pixels that touch at a corner are apart: thus no region lies half in a hole of another
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            (mask == value).astype(np.uint8), connectivity=4
        )
        for number, (x, y, width, height, area) in enumerate(stats[1:].tolist(), 1):
            if area >= min_area:
                region = labels[y : y + height, x : x + width] == number
                found.append(_outlined(value, x, y, region, simplify, min_area))
    found.sort(key=lambda pair: -pair[0])  # what is inside another's outline is smaller than that
    return [blob for _, blob in found]


def _outlined(value, x, y, region, simplify, min_area) -> tuple[float, Blob]:
    """Return a blob with the area that its outer outline encloses."""
    outer, *holes = _rings(region)
    kept = []
    for hole in holes:
        inside = _filled([hole], region.shape)
        if np.count_nonzero(inside) < min_area:
            region = region | inside
        else:
            kept.append(hole)
    rings = _simplified([outer, *kept], region, simplify)
    outer_ring, *hole_rings = [ring / 2 + (x, y) for ring in rings]
    return cv2.contourArea(outer), Blob(value, x, y, region, outer_ring, tuple(hole_rings))


def _rings(region: np.ndarray) -> list[np.ndarray]:
    """Return the outlines int32 [N, 2] of a connected region, the outer one first, in half pixels.

    Each pixel becomes 3 x 3 points of a finer grid, which it shares with its neighbours, so that
    the border points of OpenCV are corners of pixels.
    """
    grid = np.zeros([2 * length + 1 for length in region.shape], np.uint8)
    grid[1::2, 1::2] = region
    grid = cv2.dilate(grid, np.ones((3, 3), np.uint8))
    rings, tree = cv2.findContours(grid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    order = np.argsort(tree[0][:, 3] >= 0, kind='stable')
    return [rings[k][:, 0] for k in order]


def _simplified(
    rings: list[np.ndarray], region: np.ndarray, tolerance: float | None
) -> list[np.ndarray]:
    if tolerance == 0:
        return rings
    reach = 2 * (SIMPLIFY if tolerance is None else tolerance)
    fewer = [cv2.approxPolyDP(ring, reach, closed=True)[:, 0] for ring in rings]
    fewer = [new if len(new) >= 3 else old for new, old in zip(fewer, rings, strict=True)]
    if tolerance is None:
        filled = _filled(fewer, region.shape)
        if (filled & region).sum() < KEPT * (filled | region).sum():
            return rings
    return fewer


def _filled(rings: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Return what outlines in half pixels enclose, bool [H, W]; holes are those within another."""
    filled = np.zeros(shape, bool)
    for ring in rings:
        inside = np.zeros(shape, np.uint8)
        fill_centres(inside, ring / 2, 'outline')
        filled ^= inside > 0
    return filled


def with_slits(outer: np.ndarray, holes: Sequence[np.ndarray]) -> np.ndarray:
    """Return one outline [N, 2] that goes into each hole and back by a slit without width."""
    for hole in holes:
        distance = np.square(outer[:, None] - hole).sum(-1)
        here, there = np.unravel_index(distance.argmin(), distance.shape)
        around = [hole[there:], hole[: there + 1]]
        outer = np.concatenate([outer[: here + 1], *around, outer[here:]])
    return outer
