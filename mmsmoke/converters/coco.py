"""Draw outlines of COCO instance files, and other polygons, as masks."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmsmoke.datasets.zones import fill_polygon, require_near
from mmsmoke.functional.proposals import decode_mask
from mmsmoke.utils import DataError, read_json

MOST_PIXELS = 2**28


@dataclass
class CocoImage:
    """Hold one image of the file and what is annotated in it."""

    file_name: str
    width: int
    height: int
    annotations: list[dict] = field(default_factory=list)


def read_coco(path: Path) -> tuple[list[CocoImage], dict[int, str]]:
    """Read all images, also those without annotations, and the names of the categories."""
    return parse_coco(path, read_json(path))


def parse_coco(path: Path, content: Any) -> tuple[list[CocoImage], dict[int, str]]:
    """Return the same of what a file holds, which takes over the annotations in it."""
    try:
        images = {
            one['id']: CocoImage(one['file_name'], int(one['width']), int(one['height']))
            for one in content['images']
        }
        categories = {one['id']: one['name'] for one in content.get('categories', [])}
        by_image = defaultdict(list)
        for one in content['annotations']:
            one['category_id'] = int(one['category_id'])
            by_image[one['image_id']].append(one)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DataError(f'{path} is not a COCO file of instances: {error!r}') from error
    for one in images.values():
        if not isinstance(one.file_name, str):
            raise DataError(f'{path}: {one.file_name!r} is no name of an image')
        if min(one.width, one.height) < 1 or one.width * one.height > MOST_PIXELS:
            raise DataError(f'{path}: {one.file_name} is said to be {one.width} x {one.height}')
    if len(images) < len(content['images']):
        raise DataError(f'{path}: two images have the same id')
    for image_id, annotations in by_image.items():
        if image_id not in images:
            raise DataError(
                f'{path}: annotation {annotations[0].get("id")} is of image {image_id}, '
                'which the file does not have'
            )
        images[image_id].annotations = annotations
    return list(images.values()), categories


def draw_mask(image: CocoImage, value_of: Mapping[int, int]) -> np.ndarray:
    """Return a mask, uint8 [H, W]; where outlines overlap, the smallest value counts.

    Args:
        value_of: category id -> value in the mask.
    """
    mask = np.zeros((image.height, image.width), np.uint8)
    for one in sorted(image.annotations, key=lambda one: -value_of[one['category_id']]):
        mask[region_of(image, one, fill_polygon) > 0] = value_of[one['category_id']]
    return mask


def region_of(image: CocoImage, annotation: Mapping, fill: Callable) -> np.ndarray:
    """Return the mask of one annotation, polygons or run lengths, uint8 [H, W].

    Args:
        fill: fills a polygon, :func:`fill_polygon` or :func:`fill_centres`.
    """
    try:
        return _region(image, annotation, fill)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f'{_name(image, annotation)} has an outline that cannot be read') from error


def _name(image: CocoImage, annotation: Mapping) -> str:
    return f'annotation {annotation.get("id")} of {image.file_name}'


def _region(image: CocoImage, annotation: Mapping, fill: Callable) -> np.ndarray:
    where = _name(image, annotation)
    outline = annotation.get('segmentation')
    shape = image.height, image.width
    if not outline:
        raise DataError(f'{where} has no outline')
    if isinstance(outline, Mapping):
        return decode_rle(outline, shape, where)
    region = np.zeros(shape, np.uint8)
    for polygon in outline if isinstance(outline[0], Sequence) else [outline]:
        if len(polygon) % 2:
            raise DataError(f'{where}: polygon with an odd number of coordinates')
        points = np.array(polygon, float).reshape(-1, 2)
        if not np.isfinite(points).all():
            raise DataError(f'{where}: a coordinate is not a number')
        if len(points) >= 3:  # fewer enclose nothing
            fill(region, points, where)
    return region


def fill_centres(mask: np.ndarray, corners: np.ndarray, where: str) -> None:
    """Set the pixels of a mask [H, W] to 1 whose centres lie inside a polygon, as COCO counts them.

    A pixel covers the square from (x, y) to (x + 1, y + 1). Args: as :func:`fill_polygon`.
    """
    require_near(corners, where)
    size = mask.shape[::-1]
    # the part of the picture that the polygon can reach
    first, top = np.clip(np.floor(corners.min(0)), 0, size).astype(int)
    last, bottom = np.clip(np.ceil(corners.max(0)), 0, size).astype(int)
    centres = np.arange(first, last) + 0.5
    start, end = corners, np.roll(corners, -1, axis=0)
    left, right = (f(start[:, 0], end[:, 0])[:, None] for f in (np.minimum, np.maximum))
    edge, column = np.nonzero((left <= centres) & (centres < right))
    slope = (end - start)[edge]
    crossing = start[edge, 1] + (centres[column] - start[edge, 0]) * slope[:, 1] / slope[:, 0]
    row = np.clip(np.ceil(crossing - 0.5), top, bottom).astype(int) - top
    # down a column, each edge that is crossed changes outside into inside or back
    changes = np.zeros((bottom - top + 1, last - first), np.uint8)
    np.bitwise_xor.at(changes, (row, column), 1)
    mask[top:bottom, first:last] |= np.bitwise_xor.accumulate(changes[:-1], axis=0)


def decode_rle(rle: Mapping, shape: tuple[int, int], where: str = 'mask') -> np.ndarray:
    """Return uint8 [H, W] of a run-length encoding, compressed or not; runs go down the columns."""
    counts = rle.get('counts')
    if tuple(rle.get('size', ())) != shape:
        raise DataError(f'{where}: mask is {rle.get("size")}, image is {list(shape)}')
    if isinstance(counts, str):
        try:
            counts = _runs_of_text(counts)
        except IndexError as error:
            raise DataError(f'{where}: compressed mask ends too early') from error
    if min(counts, default=0) < 0 or sum(counts) != shape[0] * shape[1]:
        raise DataError(f'{where}: runs of the mask do not add up to its size')
    return decode_mask(counts, shape).astype(np.uint8)


def _runs_of_text(text: str) -> list[int]:
    """Return the runs of COCO's compression.

    It has 5 bits a character and, from the fourth run on, the difference from the one before the
    last.
    """
    runs, at = [], 0
    while at < len(text):
        value, bits = 0, 0
        while True:
            character = ord(text[at]) - 48
            at += 1
            value |= (character & 31) << bits
            bits += 5
            if not character & 32:
                break
        if character & 16:
            value -= 1 << bits
        if len(runs) > 2:
            value += runs[-2]
        runs.append(value)
    return runs


def plain_name(name: str) -> str:
    """Write accented letters in one of their two ways; file systems change one to the other."""
    return unicodedata.normalize('NFC', name)
