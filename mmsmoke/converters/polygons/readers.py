"""Read what annotation tools write.

All readers give the images of a file as :class:`~mmsmoke.converters.coco.CocoImage`. The category
of an annotation is the name of its label, and later ones lie on top. Width and height are 0 where
the file does not say them.
"""

import math
import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from mmsmoke.utils import DataError, UserError, read_json

from ..coco import CocoImage, parse_coco
from .cvat import read_cvat

UPLOAD = re.compile(r'(.*/)?upload/(.*/)?[0-9a-f]{8}-([^/]+)')
"""Matches the address of an image that was uploaded to Label Studio, which numbers them so."""


def read_drawings(path: Path) -> tuple[list[CocoImage], int]:
    """Return the annotated images of a file, or of a folder of LabelMe's files.

    The second value counts tasks of Label Studio that nobody has annotated.
    """
    if path.is_dir():
        files = sorted(one for one in path.rglob('*.json') if not one.name.startswith('.'))
        if not files:
            raise UserError(f'{path} has no JSON files, as LabelMe writes them')
        return [_labelme(one, read_json(one), path) for one in files], 0
    if not path.is_file():
        raise UserError(f'{path} not found')
    if path.suffix.lower() == '.xml':
        return read_cvat(path), 0
    if path.suffix.lower() != '.json':
        raise UserError(f'{path} must end in .json or .xml, or be a folder; unpack archives first')
    content = read_json(path)
    if isinstance(content, list):
        return _label_studio(path, content)
    if isinstance(content, dict) and 'shapes' in content:
        return [_labelme(path, content, path.parent)], 0
    return _coco(path, content), 0


def _coco(path: Path, content: Any) -> list[CocoImage]:
    images, names = parse_coco(path, content)
    for image in images:
        for one in image.annotations:
            if one['category_id'] not in names:
                raise DataError(
                    f'{path}: annotation {one.get("id")} of {image.file_name} has category '
                    f'{one["category_id"]}, which the file does not name'
                )
            one['category_id'] = str(names[one['category_id']])
    return images


def _labelme(path: Path, content: Any, root: Path) -> CocoImage:
    try:
        name = content['imagePath'].replace('\\', '/')
        folder = path.parent.relative_to(root).as_posix()
        annotations = []
        for number, shape in enumerate(content['shapes'], 1):
            kind = shape.get('shape_type') or 'polygon'
            points = [_pair(point) for point in shape['points']]
            if kind == 'rectangle' and len(points) == 2:
                points = rectangle(*points[0], *points[1])
            elif kind != 'polygon':
                raise DataError(f'{path}: shape {number} is a {kind}; draw it as a polygon')
            annotations.append(annotation(number, shape['label'], points))
        size = [_length(content.get(key)) for key in ('imageWidth', 'imageHeight')]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f'{path} is no file of LabelMe: {error!r}') from error
    return CocoImage(posixpath.normpath(posixpath.join(folder, name)), *size, annotations)


def _label_studio(path: Path, tasks: list) -> tuple[list[CocoImage], int]:
    images, untouched = [], 0
    for number, task in enumerate(tasks, 1):
        where = f'{path}: task {number}'
        try:
            data = task['data']
            given = task.get('annotations', task.get('completions')) or []
            answers = [one for one in given if not one.get('was_cancelled')]
            if not answers:
                untouched += 1
                continue
            # people correct each other's work; the file has it in the order of its creation
            found = _results(answers[-1]['result'], where)
            images.append(CocoImage(_image_of(data, where), *found))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f'{where} is none of Label Studio (export as JSON, not as JSON-MIN): {error!r}'
            ) from error
    return images, untouched


def _results(results: Sequence[Mapping], where: str) -> tuple[int, int, list[dict]]:
    """Return width, height and annotations; Label Studio's coordinates are percents."""
    sizes, annotations = set(), []
    for one in results:
        kind = one['type']
        if kind not in ('polygonlabels', 'rectanglelabels'):
            if kind.endswith('labels') or kind in ('polygon', 'rectangle', 'brush', 'ellipse'):
                raise DataError(f'{where}: a region is of type {kind}; only polygons can be read')
            continue  # what says something about the whole image
        value, labels = one['value'], one['value'][kind]
        if len(labels) != 1:
            raise DataError(f'{where}: a region has {len(labels)} labels instead of one')
        if one.get('image_rotation') or value.get('rotation'):
            raise DataError(f'{where}: a region or its image is rotated; turn it back')
        width, height = size = _length(one['original_width']), _length(one['original_height'])
        sizes.add(size)
        if kind == 'rectanglelabels':
            x, y = _pair((value['x'], value['y']))
            wide, high = _pair((value['width'], value['height']))
            points = rectangle(x, y, x + wide, y + high)
        else:
            points = [_pair(point) for point in value['points']]
        points = [(x * width / 100, y * height / 100) for x, y in points]
        annotations.append(annotation(one.get('id'), labels[0], points))
    if len(sizes) > 1:
        raise DataError(f'{where}: its regions are of images of different sizes')
    return *(sizes.pop() if sizes else (0, 0)), annotations


def _image_of(data: Mapping, where: str) -> str:
    if isinstance(data.get('name'), str):  # which our own tasks have
        return data['name']
    texts = [value for value in data.values() if isinstance(value, str)]
    address = data.get('image') or (texts[0] if len(texts) == 1 else None)
    if not isinstance(address, str):
        raise DataError(f'{where} does not say in data.image which image it is of')
    parts = urlsplit(address)
    path = parse_qs(parts.query).get('d', [unquote(parts.path)])[0]
    uploaded = UPLOAD.fullmatch(path)
    return uploaded[3] if uploaded else path


def annotation(number: Any, label: Any, points: Sequence[tuple[float, float]]) -> dict:
    """Return an annotation as COCO has it, with the label in the place of its category."""
    if not isinstance(label, str):
        raise TypeError(f'label {label!r} is no text')
    return dict(id=number, category_id=label, segmentation=[[v for xy in points for v in xy]])


def rectangle(left: float, top: float, right: float, bottom: float) -> list[tuple]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _pair(point: Sequence) -> tuple[float, float]:
    x, y = map(float, point)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f'{point} is no place')
    return x, y


def _length(value: Any) -> int:
    return 0 if value is None else int(value)
