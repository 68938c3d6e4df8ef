"""Read the XML of CVAT for images."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mmsmoke.functional.proposals import encode_mask
from mmsmoke.utils import DataError

from ..coco import MOST_PIXELS, CocoImage

IGNORED = ('attribute', 'tag')
"""Says something about an image as a whole."""


class _Builder(ElementTree.TreeBuilder):
    """Build a tree of a file that declares nothing, so that no entity can be defined."""

    def doctype(self, *_) -> None:
        raise DataError('a DOCTYPE is not allowed')


def read_cvat(path: Path) -> list[CocoImage]:
    """Return the images of a file; what has a greater ``z_order`` comes later."""
    try:
        root = ElementTree.parse(path, ElementTree.XMLParser(target=_Builder())).getroot()
    except (DataError, ElementTree.ParseError, LookupError, ValueError) as error:
        raise DataError(f'{path} is no XML file of CVAT: {error}') from error
    if root.tag != 'annotations' or root.find('track') is not None:
        raise DataError(f'{path} is no XML file of CVAT; export as "CVAT for images 1.1"')
    return [_image(path, element) for element in root.iterfind('image')]


def _image(path: Path, element: ElementTree.Element) -> CocoImage:
    try:
        name = element.attrib['name']
        width, height = (int(element.attrib[key]) for key in ('width', 'height'))
        if min(width, height) < 1 or width * height > MOST_PIXELS:
            raise ValueError(f'{name} is said to be {width} x {height}')
        shapes = [one for one in element if one.tag not in IGNORED]
        shapes.sort(key=lambda one: int(one.get('z_order', 0)))
        annotations = [
            dict(
                id=number,
                category_id=one.attrib['label'],
                segmentation=_outline(one, width, height),
            )
            for number, one in enumerate(shapes, 1)
        ]
    except (KeyError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise DataError(f'{path}: {element.get("name")}: {error}') from error
        raise DataError(f'{path}: image {element.get("name")} cannot be read: {error!r}') from error
    return CocoImage(name, width, height, annotations)


def _outline(shape: ElementTree.Element, width: int, height: int) -> list | dict:
    if float(shape.get('rotation', 0)):
        raise DataError(f'a {shape.tag} is rotated; draw it as a polygon')
    if shape.tag == 'polygon':
        return [[value for point in shape.attrib['points'].split(';') for value in _pair(point)]]
    if shape.tag == 'box':
        left, top, right, bottom = (float(shape.attrib[k]) for k in ('xtl', 'ytl', 'xbr', 'ybr'))
        return [[left, top, right, top, right, bottom, left, bottom]]
    if shape.tag == 'mask':
        return dict(size=[height, width], counts=encode_mask(_brushed(shape, width, height)))
    raise DataError(f'a {shape.tag} encloses nothing that could be filled; draw a polygon or mask')


def _pair(point: str) -> Iterator[float]:
    x, y = point.split(',')
    return map(float, (x, y))


def _brushed(shape: ElementTree.Element, width: int, height: int) -> np.ndarray:
    """Return what was painted with a brush: run lengths along the rows of a window."""
    left, top, wide, high = (int(shape.attrib[k]) for k in ('left', 'top', 'width', 'height'))
    runs = [int(length) for length in shape.attrib['rle'].split(',')]
    fits = 0 <= left <= left + wide <= width and 0 <= top <= top + high <= height
    if not fits or min(runs) < 0 or sum(runs) != wide * high:
        raise DataError('a mask does not fit its image')
    whole = np.zeros((height, width), bool)
    on = np.arange(len(runs)) % 2 == 1
    whole[top : top + high, left : left + wide] = np.repeat(on, runs).reshape(high, wide)
    return whole
