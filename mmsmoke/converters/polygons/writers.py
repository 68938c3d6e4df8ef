"""Write the outlines of masks in the formats of annotation tools."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np

from mmsmoke.functional.proposals import encode_mask
from mmsmoke.utils import UserError, atomic_path, require_one_of
from mmsmoke.utils.process import cores
from mmsmoke.utils.progress import progress
from mmsmoke.utils.threads import map_ahead

from .blobs import Blob, blobs_of, with_slits
from .names import BACKGROUND, LABELME, UNKNOWN, label_of_value, require_classes
from .sources import Picture

MOST_SIMPLE = 100
LOCAL_FILES = '/data/local-files/?d='
"""Begins the addresses of images that Label Studio has on its own disk."""


@dataclass(frozen=True)
class Outlined:
    """Hold an image with the outlines of its mask."""

    picture: Picture
    width: int
    height: int
    blobs: list[Blob]


@dataclass(frozen=True)
class Settings:
    """Hold what a format may need.

    Attributes:
        model: whose proposals the masks are, if they are no annotations.
        url: what Label Studio puts before the names of images.
        painted: labels beside the classes that have been needed so far.
    """

    classes: Sequence[str]
    model: str | None
    url: str
    painted: set[str] = field(default_factory=set)

    def label(self, blob: Blob) -> str:
        return label_of_value(blob.value, self.classes)

    def labels(self, *extra: str) -> list[str]:
        """Return the labels of a project: the classes and, of the others, those needed."""
        return [*self.classes, *(name for name in extra if name in self.painted)]


def write_polygons(
    out: str | os.PathLike,
    pictures: Sequence[Picture],
    form: str,
    classes: Sequence[str] = ('smoke',),
    simplify: float | None = None,
    min_area: int = 0,
    model: str | None = None,
    url: str | None = None,
    overwrite: bool = False,
) -> dict:
    """Write the outlines of masks; return how many images and blobs, and the labels they need.

    Args:
        out: a file, or for LabelMe a folder.
        form: one of :data:`FORMATS`.
        simplify, min_area: of :func:`~mmsmoke.converters.polygons.blobs_of`.
        model: whose proposals the masks are, for CVAT and Label Studio.
        url: what to put before the names of images, for Label Studio.
    """
    require_one_of(FORMATS, format=form)
    require_classes(classes)
    if simplify is not None and not 0 <= simplify <= MOST_SIMPLE:
        raise UserError(f'simplify must be from 0 to {MOST_SIMPLE} pixels, got {simplify}')
    if min_area < 0:
        raise UserError(f'min_area must not be negative, got {min_area}')
    if model is not None and form not in ('cvat', 'label-studio'):
        raise UserError(f'{form} cannot say that masks are the proposals of a model')
    if url is not None and form != 'label-studio':
        raise UserError(f'{form} names files, not addresses')
    out = Path(out)
    if out.exists() and not overwrite and (out.is_file() or any(out.iterdir())):
        raise UserError(f'{out} exists, and may hold corrections; pass --overwrite to replace it')
    if out.exists() and out.is_dir() != (form == 'labelme'):
        kind = 'file' if out.is_file() else 'folder'
        raise UserError(f'{out} is a {kind}, which {form} is not written to')
    settings = Settings(classes, model, LOCAL_FILES if url is None else url)
    blobs = 0

    def outline(picture: Picture) -> Outlined:
        mask = picture.read(len(classes))
        return Outlined(picture, *mask.shape[::-1], blobs_of(mask, simplify, min_area))

    def counted() -> Iterable[Outlined]:
        nonlocal blobs
        found = map_ahead(outline, pictures, cores(), 4 * cores())
        for one in progress(found, len(pictures), 'outlines'):
            blobs += len(one.blobs)
            settings.painted.update(settings.label(blob) for blob in one.blobs)
            if any(blob.holes for blob in one.blobs):
                settings.painted.add(BACKGROUND)
            yield one

    labels = FORMATS[form](out, counted(), settings)
    return dict(images=len(pictures), blobs=blobs, labels=labels)


def _coco(out: Path, outlined: Iterable[Outlined], settings: Settings) -> list[str]:
    """Write polygons, and run lengths of what has holes, which a list of polygons would fill."""
    names = [*settings.classes, UNKNOWN]
    images, annotations = [], []
    for number, one in enumerate(outlined, 1):
        images.append(
            dict(id=number, file_name=one.picture.name, width=one.width, height=one.height)
        )
        for blob in one.blobs:
            outline = [blob.outer.round(2).ravel().tolist()]
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=number,
                    category_id=names.index(settings.label(blob)) + 1,
                    segmentation=_runs(one, blob) if blob.holes else outline,
                    area=blob.area,
                    bbox=list(blob.box),
                    iscrowd=0,
                )
            )
    labels = settings.labels(UNKNOWN)
    categories = [dict(id=number, name=name) for number, name in enumerate(labels, 1)]
    _write_json(out, dict(images=images, annotations=annotations, categories=categories))
    return labels


def _runs(one: Outlined, blob: Blob) -> dict:
    whole = np.zeros((one.height, one.width), bool)
    x, y, width, height = blob.box
    whole[y : y + height, x : x + width] = blob.region
    return dict(size=[one.height, one.width], counts=encode_mask(whole))


def _labelme(out: Path, outlined: Iterable[Outlined], settings: Settings) -> list[str]:
    """Write a file for each image; holes are painted over by shapes that come later."""
    for one in outlined:
        path = out / f'{one.picture.name.rpartition(".")[0]}.json'
        shapes = [
            dict(
                label=LABELME.get(label, label),
                points=ring.round(2).tolist(),
                group_id=None,
                shape_type='polygon',
                flags={},
            )
            for label, ring, _ in _layers(one, settings)
        ]
        image = os.path.relpath(one.picture.path.absolute(), path.parent.absolute())
        _write_json(
            path,
            dict(
                version='5.0.0',
                flags={},
                shapes=shapes,
                imagePath=Path(image).as_posix(),
                imageData=None,
                imageHeight=one.height,
                imageWidth=one.width,
            ),
        )
    return [LABELME.get(label, label) for label in settings.labels(BACKGROUND, UNKNOWN)]


def _cvat(out: Path, outlined: Iterable[Outlined], settings: Settings) -> list[str]:
    """Write XML 1.1 for images; holes are polygons of the background, which lie higher."""
    root = ElementTree.Element('annotations')
    ElementTree.SubElement(root, 'version').text = '1.1'
    meta = ElementTree.SubElement(root, 'meta')
    for number, one in enumerate(outlined):
        image = ElementTree.SubElement(
            root,
            'image',
            id=str(number),
            name=one.picture.name,
            width=str(one.width),
            height=str(one.height),
        )
        for label, ring, height in _layers(one, settings):
            points = ';'.join(f'{x:.2f},{y:.2f}' for x, y in ring)
            ElementTree.SubElement(
                image,
                'polygon',
                label=label,
                source='auto' if settings.model else 'manual',
                occluded='0',
                points=points,
                z_order=str(height),
            )
    task = ElementTree.SubElement(meta, 'task')
    ElementTree.SubElement(task, 'size').text = str(len(root) - 2)
    ElementTree.SubElement(task, 'mode').text = 'annotation'
    listed, labels = ElementTree.SubElement(task, 'labels'), settings.labels(BACKGROUND, UNKNOWN)
    for name in labels:
        ElementTree.SubElement(ElementTree.SubElement(listed, 'label'), 'name').text = name
    ElementTree.indent(root)
    with atomic_path(out) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding='utf-8', xml_declaration=True)
    return labels


def _layers(one: Outlined, settings: Settings) -> Iterable[tuple[str, np.ndarray, int]]:
    """Yield labels, outlines and heights of what is painted, one over the other."""
    height = 0
    for blob in one.blobs:
        yield settings.label(blob), blob.outer, height
        if blob.holes:
            yield from ((BACKGROUND, hole, height + 1) for hole in blob.holes)
            height += 2


def _label_studio(out: Path, outlined: Iterable[Outlined], settings: Settings) -> list[str]:
    """Write tasks, and beside them the configuration of their project; slits lead into holes."""
    tasks = []
    for one in outlined:
        result = []
        for number, blob in enumerate(one.blobs):
            ring = 100 * with_slits(blob.outer, blob.holes) / (one.width, one.height)
            label = settings.label(blob)
            result.append(
                dict(
                    id=f'blob{number}',
                    type='polygonlabels',
                    from_name='label',
                    to_name='image',
                    original_width=one.width,
                    original_height=one.height,
                    image_rotation=0,
                    value=dict(points=ring.round(6).tolist(), closed=True, polygonlabels=[label]),
                )
            )
        answer = dict(result=result)
        data = dict(image=settings.url + quote(one.picture.name), name=one.picture.name)
        if settings.model:
            tasks.append(dict(data=data, predictions=[dict(model_version=settings.model) | answer]))
        else:
            tasks.append(dict(data=data, annotations=[answer]))
    _write_json(out, tasks)
    names = settings.labels(UNKNOWN)
    view = ElementTree.Element('View')
    ElementTree.SubElement(view, 'Image', name='image', value='$image', zoom='true')
    labels = ElementTree.SubElement(view, 'PolygonLabels', name='label', toName='image')
    for name in names:
        ElementTree.SubElement(labels, 'Label', value=name)
    ElementTree.indent(view)
    with atomic_path(out.with_suffix('.config.xml')) as temporary:
        temporary.write_text(ElementTree.tostring(view, 'unicode') + '\n', encoding='utf-8')
    return names


def _table(out: Path, outlined: Iterable[Outlined], settings: Settings) -> list[str]:
    """Write a row for each blob: its box and area, and what share of the image that is."""
    with (
        atomic_path(out) as temporary,
        open(temporary, 'w', encoding='utf-8', newline='') as file,
    ):
        table = csv.writer(file, lineterminator='\n')
        table.writerow(['image', 'class', 'x', 'y', 'width', 'height', 'area', 'percent'])
        for one in outlined:
            for blob in one.blobs:
                percent = f'{100 * blob.area / (one.width * one.height):.4f}'
                row = [one.picture.name, settings.label(blob), *blob.box, blob.area, percent]
                table.writerow(row)
    return settings.labels(UNKNOWN)


def _write_json(path: Path, content: dict | list) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content), encoding='utf-8')


FORMATS: dict[str, Callable] = {
    'coco': _coco,
    'labelme': _labelme,
    'cvat': _cvat,
    'label-studio': _label_studio,
    'csv': _table,
}
