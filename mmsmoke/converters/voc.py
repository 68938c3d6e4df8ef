"""Plan PASCAL VOC 2012 and, for its train part, the masks of SBD (Hariharan et al., ICCV 2011)."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mmsmoke.datasets.class_names import VOC_CLASSES
from mmsmoke.datasets.pictures import (
    copy_file,
    read_image,
    read_mask,
    reason_of,
    require_same_size,
    voc_palette,
)
from mmsmoke.datasets.writer import Task
from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError, UserError, save_png
from mmsmoke.utils.threads import in_threads

from .plan import Plan, classes_nobody_shows

FETCH = (
    'download http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar, which '
    'unpacks to VOCdevkit'
)
FETCH_SBD = (
    'download http://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/'
    'semantic_contours/benchmark.tgz'
)
TRAIN_LISTS = ('train_aug', 'train')
LABELS = ('masks', 'boxes')
PALETTE = voc_palette(len(VOC_CLASSES) + 1)


@dataclass(frozen=True)
class Picture:
    """Hold one image and its mask, either VOC's (a palette PNG) or SBD's (.mat or PNG)."""

    name: str
    split: str
    image: Path
    mask: Path
    source: str

    @property
    def image_name(self) -> str:
        return f'images/{self.name}.jpg'

    def make(self, root: Path) -> None:
        image, mask = read_image(self.image), read_voc_mask(self.mask)
        require_same_size(self.mask, mask, image)
        save_png(root / 'masks' / f'{self.name}.png', mask, PALETTE)
        copy_file(self.image, root / self.image_name)


def plan_voc(
    folder: Path,
    sbd: Path | None = None,
    train_list: str = 'train_aug',
    labels: str = 'masks',
) -> Plan:
    """Return what will become of the images of VOC's segmentation lists, and of SBD's.

    Args:
        folder: VOCdevkit, or VOC2012 in it.
        sbd: benchmark_RELEASE, or the folder SegmentationClassAug of PNG files; by default either
            of them where it is usually put, in the devkit.
        train_list: ``train_aug`` is VOC's train part and all images of SBD, without those of VOC's
            val part; ``train`` is VOC's train part alone, and asks for no SBD.
        labels: ``masks``: an image has the classes that its mask shows; ``boxes``: those of all
            objects in its XML file, difficult ones included.
    """
    if sbd is not None and train_list == 'train':
        raise UserError('--train-list train takes no image of SBD: leave out --sbd')
    voc = _voc_folder(folder)
    own = {split: _names(voc / f'ImageSets/Segmentation/{split}.txt') for split in ('train', 'val')}
    masks = {}
    if train_list == 'train_aug':
        sbd = _sbd_folder(voc) if sbd is None else sbd
        masks = {name: path for name, path in _sbd_masks(sbd).items() if name not in own['val']}
    found = [(name, split, None) for split in own for name in own[split]]
    found += [(name, 'train', path) for name, path in masks.items() if name not in own['train']]
    pictures = [
        Picture(
            name,
            split,
            voc / f'JPEGImages/{name}.jpg',
            path or voc / f'SegmentationClass/{name}.png',
            'sbd' if path else 'voc',
        )
        for name, split, path in sorted(found, key=lambda one: one[:2])
    ]
    boxes = voc / 'Annotations' if labels == 'boxes' else None
    plan = Plan(classes=VOC_CLASSES, splits=('train', 'val'), source=_digest(pictures, boxes))
    pictures = _there(pictures, plan)
    labels_of = partial(_labels, boxes=boxes)
    for picture, shown in zip(pictures, in_threads(labels_of, pictures, 'labels'), strict=True):
        if isinstance(shown, DataError):
            plan.broken.append(str(shown))
            continue
        row = dict(image=picture.image_name, split=picture.split)
        row |= {name: int(name in shown) for name in VOC_CLASSES} | dict(source=picture.source)
        plan.tasks.append(Task(str(picture.image), [row], picture.make, ('images', 'masks')))
    plan.broken += classes_nobody_shows(plan.rows, VOC_CLASSES)
    plan.notes = [
        f'labels are from the {labels}; {len(own["train"])} images of train have masks of VOC, '
        f'{sum(picture.source == "sbd" for picture in pictures)} of SBD (column source)',
        'whole, VOC has 1,464 images in train, 10,582 in train_aug and 1,449 in val',
    ]
    return plan


def read_voc_mask(path: Path) -> np.ndarray:
    """Return the values of a mask of VOC, or of SBD, be it a PNG or a MATLAB file."""
    mask = _read_matlab(path) if path.suffix == '.mat' else read_mask(path)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise DataError(
            f'{path}: mask has {mask.shape} {mask.dtype}; VOC has palette PNG files, whose indices '
            'are the classes'
        )
    strange = [v for v in np.unique(mask).tolist() if v > len(VOC_CLASSES) and v != IGNORE]
    if strange:
        raise DataError(
            f'{path}: mask has values {strange}, which are no class of VOC (0 to '
            f'{len(VOC_CLASSES)}, 255)'
        )
    return mask


def _read_matlab(path: Path) -> np.ndarray:
    from scipy.io import loadmat

    try:
        return np.asarray(loadmat(path, simplify_cells=True)['GTcls']['Segmentation'])
    except Exception as error:  # a reader of broken files may raise anything
        raise DataError(f'{path}: mask of SBD cannot be read: {reason_of(error)}') from error


def _labels(picture: Picture, boxes: Path | None) -> set[str] | DataError:
    try:
        if boxes is not None:
            return _objects(_xml_of(picture, boxes))
        values = np.unique(read_voc_mask(picture.mask)).tolist()
        return {VOC_CLASSES[value - 1] for value in values if value not in (0, IGNORE)}
    except DataError as error:
        return error


def _objects(path: Path) -> set[str]:
    """Return the classes of all objects of an XML file."""
    try:
        names = {one.findtext('name') for one in ElementTree.parse(path).iter('object')}
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(f'{path}: objects cannot be read: {error}') from error
    if strange := sorted(map(str, names - set(VOC_CLASSES))):
        raise DataError(f'{path}: {", ".join(strange)} is no class of VOC')
    return names


def _there(pictures: Sequence[Picture], plan: Plan) -> list[Picture]:
    """Return the pictures whose files exist; say how many lack which."""
    for what in ('image', 'mask'):
        lost = [getattr(one, what) for one in pictures if not getattr(one, what).is_file()]
        if lost:
            plan.broken.append(
                f'missing {what}s that the lists name: {len(lost)}, such as {lost[0]}; unpack the '
                'archive again'
            )
    return [one for one in pictures if one.image.is_file() and one.mask.is_file()]


def _voc_folder(folder: Path) -> Path:
    for top in (folder, folder / 'VOC2012', folder / 'VOCdevkit/VOC2012'):
        if (top / 'JPEGImages').is_dir() and (top / 'ImageSets/Segmentation').is_dir():
            return top
    raise UserError(f'no VOC2012 with JPEGImages and ImageSets/Segmentation in {folder}: {FETCH}')


def _sbd_folder(voc: Path) -> Path:
    devkit = voc.parent
    for place in (voc / 'SegmentationClassAug', devkit / 'benchmark_RELEASE'):
        if place.is_dir():
            return place
    raise UserError(
        f'train_aug needs the masks of SBD: {FETCH_SBD} and unpack it in {devkit}, which makes '
        f'{devkit / "benchmark_RELEASE"}, or say where it is by --sbd FOLDER. Without it, '
        "--train-list train takes VOC's own 1,464 training images alone"
    )


def _sbd_masks(folder: Path) -> dict[str, Path]:
    """Return the masks of SBD by the names of its images."""
    for top in (folder, folder / 'dataset', folder / 'benchmark_RELEASE/dataset'):
        if (top / 'cls').is_dir():
            names = [name for part in ('train', 'val') for name in _names(top / f'{part}.txt')]
            return {name: top / f'cls/{name}.mat' for name in names}
    for top in (folder, folder / 'SegmentationClassAug'):
        if masks := sorted(top.glob('[!.]*.png')):
            return {mask.stem: mask for mask in masks}
    raise UserError(
        f'{folder} holds neither dataset/cls with .mat files nor PNG files of '
        f'SegmentationClassAug: {FETCH_SBD}'
    )


def _names(path: Path) -> dict[str, None]:
    """Return the names in a list of VOC or SBD, in their order."""
    try:
        return dict.fromkeys(path.read_text(encoding='utf-8').split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read: {error}') from error


def _xml_of(picture: Picture, boxes: Path) -> Path:
    return boxes / f'{picture.name}.xml'


def _digest(pictures: Sequence[Picture], boxes: Path | None) -> str:
    return hashlib.sha256('\n'.join(_lines(pictures, boxes)).encode()).hexdigest()


def _lines(pictures: Sequence[Picture], boxes: Path | None) -> Iterator[str]:
    for one in pictures:
        files = [one.image, one.mask, *([_xml_of(one, boxes)] if boxes else [])]
        sizes = [path.stat().st_size for path in files if path.is_file()]
        yield f'{one.name} {one.split} {one.source} {one.mask.suffix} {sizes}'
