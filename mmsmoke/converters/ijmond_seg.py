"""Plan IJmond-seg: panoramas of a steel works, the smoke outlined in COCO's format."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmsmoke.datasets.pictures import copy_file, read_image, save_image, save_mask
from mmsmoke.datasets.splitting import DAY, deal_out, split_groups
from mmsmoke.datasets.table import OPACITIES, displayed_size, mask_name_of
from mmsmoke.datasets.writer import Task
from mmsmoke.utils import DataError, UserError, sha256_of_file
from mmsmoke.utils.threads import in_threads

from .coco import CocoImage, draw_mask, plain_name, read_coco
from .plan import Plan
from .windows import VIEWS, Window, camera_of, clear_ones, smokiest, views_of

ANNOTATIONS = '_annotations.coco.json'
FETCH = (
    'IJmond-seg is not public; ask the authors of '
    'https://github.com/MultiX-Amsterdam/ijmond-camera-ai for it'
)
PROTOCOLS = ('clean', 'frames', 'thesis')


def plan_ijmond_seg(
    folder: Path,
    protocol: str = 'clean',
    opacities: bool = False,
    shares: Sequence[float] = (0.6, 0.2, 0.2),
    day: str = DAY,
    held_out: str | None = None,
    views: Mapping = VIEWS,
    seed: int = 0,
) -> Plan:
    """Return what will become of the panoramas.

    Args:
        folder: with ``_annotations.coco.json``, and the images there or in ``images/``.
        protocol: ``clean`` cuts each panorama into its camera's views, ``frames`` keeps it whole;
            in both, all images of one camera and day are in one split. ``thesis`` cuts windows:
            at most three of each panorama, those with most smoke, are ``test``, and at most three
            without smoke ``clear``; the column ``t2`` divides the panoramas 70 : 30 for training
            on both, as the thesis' T2.
        opacities: two classes of smoke, which the annotations tell apart, instead of one.
        shares: of train, val and test (of train and val, if a camera is held out), unless the
            protocol is ``thesis``.
        day: regular expression for the part of a file name that tells the day; an empty one
            makes each panorama a day of its own.
        held_out: a camera of ``views`` all of whose images go to test.
        views: camera -> (x, y, side) of each view.
    """
    if not (folder / ANNOTATIONS).is_file():
        raise UserError(f'{folder / ANNOTATIONS} not found. {FETCH}')
    if held_out is not None and held_out not in views:
        raise UserError(f'no camera {held_out!r}; there are {", ".join(views)}')
    if held_out is not None and protocol == 'thesis':
        raise UserError('the protocol thesis tests on all cameras; none can be held out')
    try:
        re.compile(day)
    except re.error as error:
        raise UserError(f'{day!r} is no regular expression: {error}') from error
    images, categories = read_coco(folder / ANNOTATIONS)
    plan = Plan(
        classes=OPACITIES if opacities else ('smoke',),
        splits=('test', 'clear') if protocol == 'thesis' else ('train', 'val', 'test'),
        source=sha256_of_file(folder / ANNOTATIONS),
    )
    plan.notes = [
        f'{len(images)} panoramas, {sum(len(one.annotations) for one in images)} outlines'
    ]
    values = values_of(images, categories, opacities)
    places = [place for place in (folder, folder / 'images') if place.is_dir()]
    files = {plain_name(path.name): path for place in places for path in place.iterdir()}

    def look(image: CocoImage) -> list[Piece] | DataError:
        try:
            path = files.get(plain_name(Path(image.file_name).name))
            _check_file(path, image, folder)
            mask = draw_mask(image, values)
            pieces = []
            for window, kind in _windows(path.name, mask, protocol, views):
                part = mask if window is None else window.cut(mask)
                present = tuple(int((part == k + 1).any()) for k in range(len(plan.classes)))
                pieces.append(Piece(image, path, window, kind, present))
            return pieces
        except DataError as error:
            return error

    pieces = []
    for one in in_threads(look, images, 'annotations'):
        if isinstance(one, DataError):
            plan.broken.append(str(one))
        else:
            pieces += one
    rows = _rows(pieces, plan.classes, protocol, shares, day, held_out, views, seed)
    by_panorama = defaultdict(list)
    for piece, row in zip(pieces, rows, strict=True):
        by_panorama[piece.path].append((piece, row))
    for path, found in by_panorama.items():
        pieces, rows = zip(*found, strict=True)
        make = partial(_make, pieces, values, len(plan.classes))
        plan.tasks.append(Task(str(path), rows, make, ('images', 'masks')))
    return plan


@dataclass(frozen=True)
class Piece:
    """Hold what becomes one image: a window of a panorama or, with None, all of it."""

    annotated: CocoImage
    path: Path
    window: Window | None
    kind: str | None
    labels: tuple[int, ...]

    @property
    def image_name(self) -> str:
        if self.window is None:
            return f'images/{self.path.name}'
        return f'images/{self.path.stem}_{self.window.name}.jpg'


def values_of(
    images: Sequence[CocoImage], categories: Mapping[int, str], opacities: bool
) -> dict[int, int]:
    """Return category -> value in the mask: 1, or 2 for low opacity if that is a class of its own.

    Names of categories tell the opacity. If none does, category 2 is the low one, as in the
    authors' scripts. Every other category counts as high.
    """
    used = {one['category_id'] for image in images for one in image.annotations}
    names = {number: str(categories.get(number, '')).lower() for number in used | set(categories)}
    words = {number: re.split('[^a-z]+', name) for number, name in names.items()}
    low = {number for number, found in words.items() if 'low' in found}
    if not low and not any('high' in found for found in words.values()):
        low = {2}
    return {number: 2 if opacities and number in low else 1 for number in names}


def _check_file(path: Path | None, image: CocoImage, folder: Path) -> None:
    if path is None:
        raise DataError(f'{image.file_name} is in {ANNOTATIONS}, but not in {folder}')
    try:
        size = displayed_size(path)
    except Exception as error:
        raise DataError(f'{path}: image cannot be read: {error}') from error
    if size != (image.width, image.height):
        turned = ', turned as its EXIF tag says' if size == (image.height, image.width) else ''
        raise DataError(
            f'{path} is {size[0]}x{size[1]}{turned}; its outlines were drawn on '
            f'{image.width}x{image.height}'
        )


def _windows(name: str, mask: np.ndarray, protocol: str, views: Mapping) -> list[tuple]:
    if protocol == 'frames':
        return [(None, None)]
    if protocol == 'thesis':
        chosen = dict(test=smokiest(mask), clear=clear_ones(mask, name))
        return [(window, kind) for kind, windows in chosen.items() for window in windows]
    camera = camera_of(name, views)
    if camera is None:
        raise DataError(f'{name} names no camera; known are {", ".join(views)}')
    return [(window, None) for window in views_of(camera, views)]


def _rows(pieces, classes, protocol, shares, day, held_out, views, seed) -> list[dict]:
    thesis = protocol == 'thesis'
    groups = [
        piece.path.name if thesis else _group(piece.path.name, day, views) for piece in pieces
    ]
    smoke = [int(any(piece.labels)) for piece in pieces]
    if thesis:
        splits = split_groups(groups, smoke, dict(train=0.7, val=0.3), seed)
    else:
        cameras = [camera_of(piece.path.name, views) for piece in pieces]
        tested = None if held_out is None else [camera == held_out for camera in cameras]
        splits = deal_out(groups, smoke, shares, seed, tested)
    return [
        dict(image=piece.image_name, split=piece.kind or splits[k])
        | dict(zip(classes, piece.labels, strict=True))
        | dict(panorama=piece.path.name, camera=camera_of(piece.path.name, views) or '')
        | ({} if piece.window is None else piece.window.columns())
        | dict(group=groups[k])
        | (dict(t2=splits[k]) if thesis else {})
        for k, piece in enumerate(pieces)
    ]


def _group(name: str, day: str, views: Mapping) -> str:
    """Return camera and day of a panorama."""
    if not day:
        return name
    found = re.search(day, name)
    if found is None:
        raise UserError(
            f'no day found in the file name {name}: say with --day PATTERN how names tell it, or '
            "with --day '' that each panorama may go to another split"
        )
    return f'{camera_of(name, views) or "camera"} {re.sub("[-_.]", "", found[0])}'


def _make(pieces: Sequence[Piece], values: Mapping[int, int], num_classes: int, root: Path) -> None:
    mask, picture = draw_mask(pieces[0].annotated, values), read_image(pieces[0].path)
    for piece in pieces:
        target, part = root / piece.image_name, mask
        if piece.window is None:
            copy_file(piece.path, target)
        else:
            save_image(target, piece.window.cut(picture))
            part = np.ascontiguousarray(piece.window.cut(mask))
        save_mask(root / 'masks' / mask_name_of(piece.image_name), part, num_classes)
