"""Plan COCO 2014: instances of 80 classes become masks of classes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmsmoke.datasets.class_names import COCO_CATEGORIES, COCO_CLASSES, COCO_VALUES
from mmsmoke.datasets.pictures import copy_file, read_image, voc_palette
from mmsmoke.datasets.writer import Task
from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError, UserError, save_png, sha256_of_file
from mmsmoke.utils.threads import in_threads

from .coco import CocoImage, fill_centres, read_coco, region_of
from .plan import Missing, Plan, classes_nobody_shows

FETCH = (
    'download http://images.cocodataset.org/annotations/annotations_trainval2014.zip, which '
    'unpacks to annotations/'
)
IMAGES = 'http://images.cocodataset.org/{folder}/{name}'
SPLITS = ('train', 'val')
PALETTE = voc_palette(len(COCO_CLASSES) + 1)


@dataclass(frozen=True)
class Picture:
    """Hold one image with its instances; ``folder`` is train2014 or val2014."""

    folder: str
    path: Path
    annotated: CocoImage

    @property
    def name(self) -> str:
        return f'{self.folder}/{self.path.stem}'

    @property
    def image_name(self) -> str:
        return f'images/{self.name}.jpg'

    def make(self, root: Path) -> None:
        image, mask = read_image(self.path), draw_classes(self.annotated)
        if mask.shape != image.shape[:2]:
            raise DataError(
                f'{self.path} is {image.shape[1]}x{image.shape[0]}, its annotations are for '
                f'{mask.shape[1]}x{mask.shape[0]}'
            )
        save_png(root / 'masks' / f'{self.name}.png', mask, PALETTE)
        copy_file(self.path, root / self.image_name)


def plan_coco2014(folder: Path) -> Plan:
    """Return what will become of the images that have annotations.

    Args:
        folder: with annotations/, train2014/ and val2014/, as COCO's archives unpack.
    """
    paths = {split: _annotations(folder, split) for split in SPLITS}
    source = ' '.join(map(sha256_of_file, paths.values()))
    plan, pictures, empty = Plan(classes=COCO_CLASSES, splits=SPLITS, source=source), [], 0
    for split, path in paths.items():
        images, categories = read_coco(path)
        _require_categories(path, images, categories)
        for image in images:
            _require_name(path, split, image.file_name)
            place = folder / f'{split}2014' / image.file_name
            empty += not image.annotations
            if not image.annotations:
                continue
            if place.is_file():
                pictures.append(Picture(f'{split}2014', place, image))
            else:
                url = IMAGES.format(folder=f'{split}2014', name=image.file_name)
                plan.missing.append(Missing(place, url))
    for picture, shown in zip(pictures, in_threads(_labels, pictures, 'labels'), strict=True):
        if isinstance(shown, DataError):
            plan.broken.append(str(shown))
            continue
        row = dict(image=picture.image_name, split=picture.folder.removesuffix('2014'))
        row |= {name: int(value in shown) for value, name in enumerate(COCO_CLASSES, 1)}
        plan.tasks.append(Task(str(picture.path), [row], picture.make, ('images', 'masks')))
    if not plan.missing:
        plan.broken += classes_nobody_shows(plan.rows, COCO_CLASSES)
    plan.notes = [
        f'{empty} images without any annotation are left out',
        'whole, COCO 2014 has 82,081 annotated images in train and 40,137 in val',
    ]
    return plan


def draw_classes(image: CocoImage) -> np.ndarray:
    """Return a mask of classes, uint8 [H, W]: 0 background, 1 to 80, 255 where a crowd is.

    Of two instances that overlap, the one with fewer pixels lies on top, and of two with equally
    many the later one. All of them lie on top of crowds, whose outlines are rough.
    """
    mask = np.zeros((image.height, image.width), np.uint8)
    layers = []
    for one in image.annotations:
        region, crowd = region_of(image, one, fill_centres) > 0, bool(one.get('iscrowd'))
        value = IGNORE if crowd else COCO_VALUES[one['category_id']]
        layers.append((not crowd, -np.count_nonzero(region), value, region))
    for _, _, value, region in sorted(layers, key=lambda layer: layer[:2]):
        mask[region] = value
    return mask


def _labels(picture: Picture) -> set[int] | DataError:
    """Return the values of the classes that an image shows: in its mask, or as a crowd."""
    try:
        values = {*np.unique(draw_classes(picture.annotated)).tolist()} - {0, IGNORE}
    except DataError as error:
        return error
    crowds = [one for one in picture.annotated.annotations if one.get('iscrowd')]
    return values | {COCO_VALUES[one['category_id']] for one in crowds}


def _annotations(folder: Path, split: str) -> Path:
    path = folder / 'annotations' / f'instances_{split}2014.json'
    if path.is_file():
        return path
    other = path.with_name(f'instances_{split}2017.json')
    hint = f'{other} is of COCO 2017, which divides the images otherwise; ' * other.is_file()
    raise UserError(f'{path} not found: {hint}{FETCH}')


def _require_categories(path: Path, images: list[CocoImage], categories: Mapping) -> None:
    for category, name in categories.items():
        if COCO_CATEGORIES.get(category) != name:
            raise DataError(
                f'{path}: category {category} is {name!r}, in COCO it is '
                f'{COCO_CATEGORIES.get(category)!r}; {FETCH}'
            )
    for image in images:
        for one in image.annotations:
            if one['category_id'] not in COCO_CATEGORIES:
                raise DataError(
                    f'{path}: annotation {one.get("id")} of {image.file_name} has category '
                    f"{one['category_id']}, which is none of COCO's 80"
                )


def _require_name(path: Path, split: str, name: str) -> None:
    """Raise unless an image of the file is of this split and year, as its name tells."""
    found = re.fullmatch(r'COCO_(train|val|test)2014_\d{12}\.jpg', name)
    if found is None:
        raise DataError(
            f'{path} has the image {name}, which is not of COCO 2014 (COCO_{split}2014_….jpg): is '
            f'it the file of another year, such as 2017? {FETCH}'
        )
    if found[1] != split:
        raise DataError(
            f'{path} has the image {name}, which is of {found[1]}2014, not of {split}2014: it is '
            f'the file of the other split'
        )
