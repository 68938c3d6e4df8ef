"""Store corrected outlines as the masks and labels of a data set."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from mmsmoke.datasets.pictures import copy_file, read_image, read_mask, save_mask
from mmsmoke.datasets.table import TABLE, mask_name_of, read_cells
from mmsmoke.datasets.writer import Task, write_dataset
from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError, UserError, atomic_path, sha256_of_file, sha256_of_folder
from mmsmoke.utils.threads import in_threads

from ..coco import CocoImage, fill_centres, plain_name, region_of
from .names import BACKGROUND, UNKNOWN, require_classes, value_of_labels
from .readers import read_drawings
from .sources import Picture, is_dataset, known_images


@dataclass
class Stored:
    """Hold what :func:`store_masks` did.

    Attributes:
        masks: how many are ``new``, ``changed`` and ``unchanged``.
        labels: how many labels of images have changed.
        untouched: how many images of the file nobody has annotated.
    """

    masks: Counter = field(default_factory=Counter)
    labels: int = 0
    untouched: int = 0


def store_masks(
    source: str | Path,
    out: str | Path,
    images: str | Path | None = None,
    classes: Sequence[str] = ('smoke',),
    split: str = 'train',
    overwrite: bool = False,
) -> Stored:
    """Draw the masks of the images that a file annotates, and set their labels.

    Args:
        source: a file of COCO, LabelMe, CVAT or Label Studio, or a folder of LabelMe's.
        out: a data set, whose masks are replaced only with ``overwrite``; or a new folder, which
            becomes one with the annotated images.
        images: the folder or data set with the images, for a new one.
        split: of the images of a new data set, unless ``images`` is one, which says it.

    Raises:
        UserError: before anything is written, also if masks would be replaced.
    """
    source, out = Path(source), Path(out)
    require_classes(classes)
    drawings, untouched = read_drawings(source)
    values = value_of_labels(classes)
    _require_labels(source, drawings, values, classes)
    if is_dataset(out):
        if images is not None:
            raise UserError(f'{out} is a data set, which has its images: leave out --images')
        return _update(out, _matched(source, drawings, out, classes), classes, overwrite, untouched)
    if images is None:
        raise UserError(f'{out} is no data set yet: say with --images where the images are')
    pairs = _matched(source, drawings, Path(images), classes)
    return _create(out, pairs, source, classes, split, untouched)


def _require_labels(
    source: Path, drawings: Sequence[CocoImage], values: Mapping, classes: Sequence[str]
) -> None:
    used = {one['category_id'] for drawing in drawings for one in drawing.annotations}
    if unknown := sorted(used - set(values)):
        raise DataError(
            f'{source}: unknown labels: {", ".join(map(repr, unknown))}. Known are '
            f'{", ".join((*classes, BACKGROUND, UNKNOWN))}; name all classes with --classes'
        )


def _matched(
    source: Path, drawings: Sequence[CocoImage], place: Path, classes: Sequence[str]
) -> list[tuple[Picture, CocoImage]]:
    """Return each annotated image with what was drawn on it.

    Names in the file only choose among the images that are there; none is used as a path.
    """
    if not drawings:
        raise UserError(f'{source} annotates no image')
    by_name = defaultdict(list)
    for one in known_images(place, classes):
        parts = _parts(one.name)
        by_name[parts[-1]].append((parts, one))
    pairs = {}
    for drawing in drawings:
        parts = _parts(drawing.file_name)
        fitting = [one for one in by_name[parts[-1]] if _one_ends_as_the_other(parts, one[0])]
        most = max((min(len(parts), len(known)) for known, _ in fitting), default=0)
        best = [one for known, one in fitting if min(len(parts), len(known)) == most]
        if len(best) != 1:
            why = f'may be any of {len(best)} images' if best else 'is no image'
            raise DataError(f'{source}: {drawing.file_name!r} {why} of {place}')
        (found,) = best
        if found.mask_name in pairs:
            raise DataError(f'{source} annotates {found.name} twice')
        pairs[found.mask_name] = found, drawing
    return list(pairs.values())


def _parts(name: str) -> list[str]:
    parts = [part for part in re.split(r'[/\\]', plain_name(name)) if part not in ('', '.', '..')]
    return parts or ['']


def _one_ends_as_the_other(one: Sequence[str], other: Sequence[str]) -> bool:
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]


def draw(picture: Picture, drawing: CocoImage, values: Mapping[str, int]) -> np.ndarray:
    """Return the mask of an image, uint8 [H, W]; later annotations lie on top."""
    width, height = picture.size()
    said = drawing.width or width, drawing.height or height
    if said != (width, height):
        raise DataError(
            f'{picture.path} is {width}x{height}; its outlines were drawn on {said[0]}x{said[1]}'
        )
    image = CocoImage(drawing.file_name, width, height)
    mask = np.zeros((height, width), np.uint8)
    for one in drawing.annotations:
        mask[region_of(image, one, fill_centres) > 0] = values[one['category_id']]
    return mask


def _labels_of(picture: Picture, mask: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    """Return which classes a mask shows; a label stays 1 where the mask leaves pixels open."""
    shown = [int((mask == value).any()) for value in range(1, len(classes) + 1)]
    if picture.row and (mask == IGNORE).any():
        shown = map(max, shown, picture.row.labels)
    return dict(zip(classes, shown, strict=True))


def _update(
    root: Path, pairs: Sequence[tuple], classes: Sequence[str], overwrite: bool, untouched: int
) -> Stored:
    values = value_of_labels(classes)

    def look(pair: tuple[Picture, CocoImage]) -> tuple[str, dict[str, int]]:
        picture, drawing = pair
        mask, path = draw(picture, drawing, values), root / 'masks' / picture.mask_name
        old = read_mask(path) if path.is_file() else None
        labels = _labels_of(picture, mask, classes)
        before = dict(zip(classes, picture.row.labels, strict=True))
        changes = {name: value for name, value in labels.items() if value != before[name]}
        if old is None:
            # a clear image needs no mask
            return 'new' if mask.any() or changes else 'unchanged', changes
        return 'unchanged' if np.array_equal(old, mask) else 'changed', changes

    found = in_threads(look, pairs, 'outlines')
    stored = Stored(Counter(kind for kind, _ in found), untouched=untouched)
    stored.labels = sum(len(changes) for _, changes in found)
    if not overwrite and (stored.masks.keys() - {'unchanged'} or stored.labels):
        raise UserError(
            f'{root} is a data set: {said(stored.masks)}; nothing was written, '
            'pass --overwrite to replace masks and labels'
        )

    def write(pair: tuple[Picture, CocoImage]) -> None:
        picture, drawing = pair
        save_mask(root / 'masks' / picture.mask_name, draw(picture, drawing, values), len(classes))

    todo = [pair for pair, (kind, _) in zip(pairs, found, strict=True) if kind != 'unchanged']
    in_threads(write, todo, 'masks')
    changes = {
        pair[0].row.number: labels for pair, (_, labels) in zip(pairs, found, strict=True) if labels
    }
    if changes:
        _change_labels(root, classes, changes)
    return stored


def said(masks: Counter) -> str:
    """Return how many masks are new, changed and unchanged, in words."""
    return ', '.join(f'{masks[kind]} masks {kind}' for kind in ('new', 'changed', 'unchanged'))


def _change_labels(
    root: Path, classes: Sequence[str], changes: Mapping[int, Mapping[str, int]]
) -> None:
    """Set labels by the line that a row ends in; all other cells stay as they are."""
    header, lines = read_cells(root, classes)
    for number, cells in lines:
        for name, value in changes.get(number, {}).items():
            cells[header.index(name)] = str(value)
    with (
        atomic_path(root / TABLE) as temporary,
        open(temporary, 'w', encoding='utf-8', newline='') as file,
    ):
        csv.writer(file, lineterminator='\n').writerows([header, *(cells for _, cells in lines)])


def _create(
    out: Path,
    pairs: Sequence[tuple],
    source: Path,
    classes: Sequence[str],
    split: str,
    untouched: int,
) -> Stored:
    values = value_of_labels(classes)

    def task(pair: tuple[Picture, CocoImage]) -> Task:
        picture, drawing = pair
        labels = _labels_of(picture, draw(picture, drawing, values), classes)
        row = picture.row.columns if picture.row else dict(image=f'images/{picture.name}')
        row = {**row, 'split': row.get('split', split), **labels}
        make = partial(_make, picture, drawing, values, row['image'], len(classes))
        return Task(str(picture.path), [row], make, ('images', 'masks'))

    tasks = in_threads(task, pairs, 'outlines')
    digest = sha256_of_folder(source) if source.is_dir() else sha256_of_file(source)
    record = dict(converter='polygons', classes=list(classes), source_sha256=digest)
    written = write_dataset(out, tasks, record)
    if written.problems:
        more = f' (and {len(written.problems) - 1} more)' if len(written.problems) > 1 else ''
        raise DataError(f'{written.problems[0]}{more}; there is no {TABLE} yet')
    return Stored(Counter(new=len(written.rows)), untouched=untouched)


def _make(
    picture: Picture,
    drawing: CocoImage,
    values: Mapping[str, int],
    image: str,
    num_classes: int,
    root: Path,
) -> None:
    read_image(picture.path)
    mask = draw(picture, drawing, values)
    save_mask(root / 'masks' / mask_name_of(image), mask, num_classes)
    copy_file(picture.path, root / image)
