"""Plan SMOKE5K (Yan et al., AAAI 2022): photographs and composites of smoke, each with a mask."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmsmoke.datasets.checks.near_duplicates import connected, similar_files
from mmsmoke.datasets.pictures import (
    copy_file,
    read_image,
    read_mask,
    require_same_size,
    save_image,
    save_mask,
)
from mmsmoke.datasets.splitting import deal_out
from mmsmoke.datasets.table import SYNTHETIC
from mmsmoke.datasets.writer import Task
from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.threads import in_threads

from .plan import Plan

FETCH = (
    'https://github.com/redlessme/Transmission-BVM links to SMOKE5K; '
    'https://github.com/MultiX-Amsterdam/ijmond-camera-ai has it in bbox_learn/dataset/smoke5k'
)
KINDS = {  # by the stem of the file
    SYNTHETIC: r'\d_\d+',
    'hpwren': r'ck[0-9a-z]{23}',
    'figlib': r'\d{9,}_[+-]\d+',
    'adriatic': r'image_\d{5}',
    'video': r'Frame\d{4}',
}
UPSIDE_DOWN = ('test/1499547043_+00780',)
SPLITTINGS = ('official', 'scene')


@dataclass(frozen=True)
class Picture:
    """Hold one photograph or composite of the original, whose own split is part of its name."""

    split: str
    image: Path
    mask: Path
    kind: str

    @property
    def name(self) -> str:
        return f'{self.split}/{self.image.stem}'

    @property
    def trains(self) -> bool:
        return self.split == 'train'

    @property
    def image_name(self) -> str:
        return f'images/{self.name}{self.image.suffix}'

    @property
    def fire(self) -> int | None:
        """Return when the fire broke out, by which frames of one FIgLib camera know each other."""
        if self.kind != 'figlib':
            return None
        seconds, after = self.image.stem.split('_')
        return int(seconds) - int(after)

    def make(self, root: Path) -> None:
        image, mask = read_image(self.image), _smoke_of(self.mask)
        require_same_size(self.mask, mask, image)
        turned = self.name in UPSIDE_DOWN
        if turned:
            image, mask = image[::-1, ::-1], np.ascontiguousarray(mask[::-1, ::-1])
        save_mask(root / 'masks' / f'{self.name}.png', mask)
        target = root / self.image_name
        save_image(target, image) if turned else copy_file(self.image, target)


def find_pictures(folder: Path) -> tuple[list[Picture], list[str]]:
    """Return all of both splits, wherever below ``folder`` they lie, and what has no partner.

    The archive unpacks to SMOKE5K/SMOKE5K, others redistribute smoke5k/: both hold train/img,
    train/gt, test/img and test/gt.
    """
    tops = [folder, *sorted(folder.glob('*/')), *sorted(folder.glob('*/*/'))]
    top = next((each for each in tops if (each / 'train/img').is_dir()), None)
    if top is None or not (top / 'test/img').is_dir():
        raise UserError(f'no train/img and test/img in {folder}. {FETCH}')
    found, alone = [], []
    for split in ('train', 'test'):
        masks = {path.stem: path for path in _pictures(top / split / 'gt')}
        for image in _pictures(top / split / 'img'):
            if image.stem in masks:
                found.append(Picture(split, image, masks.pop(image.stem), kind_of(image.stem)))
            else:
                alone.append(f'{image} has no mask {split}/gt/{image.stem}.png')
        alone += [f'{mask} has no image in {split}/img' for mask in masks.values()]
    return found, alone


def kind_of(stem: str) -> str:
    return next((kind for kind, name in KINDS.items() if re.fullmatch(name, stem)), 'other')


def scenes_of(pictures: Sequence[Picture]) -> list[str]:
    """Return a name for each picture, the same for those that look alike: the same camera pose.

    Pictures belong together if they look alike as a whole or in their lower half, where no smoke
    is, or are of the same fire. One that belongs to two others joins them.
    """
    pairs = similar_files([picture.image for picture in pictures], ('whole', 'lower'))
    first = {}
    for k, picture in enumerate(pictures):
        if picture.fire is not None:
            pairs.append((first.setdefault(picture.fire, k), k))
    return [pictures[k].name for k in connected(len(pictures), pairs)]


def plan_smoke5k(
    folder: Path,
    splitting: str = 'scene',
    shares: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
    synthetic: bool = True,
) -> Plan:
    """Return what will become of the pictures.

    Args:
        splitting: ``official`` keeps train and test, and takes val out of train; ``scene`` deals
            all images out anew. No scene is in train and val, and with ``scene`` in none but one.
        shares: of train, val and test; for ``official`` only train and val count.
        synthetic: with the composites.
    """
    found, alone = find_pictures(folder)
    found = [picture for picture in found if synthetic or picture.kind != SYNTHETIC]
    plan = Plan(broken=alone, source=_digest(found))
    pictures, smoke = [], []
    for picture, label in zip(found, in_threads(_has_smoke, found, 'masks'), strict=True):
        if isinstance(label, DataError):
            plan.broken.append(str(label))
        else:
            pictures.append(picture)
            smoke.append(label)
    scenes = scenes_of(pictures)
    seen = {scene for picture, scene in zip(pictures, scenes, strict=True) if picture.trains}
    tested = [not picture.trains for picture in pictures] if splitting == 'official' else None
    splits = deal_out(scenes, smoke, shares, seed, tested)
    for picture, split, label, scene in zip(pictures, splits, smoke, scenes, strict=True):
        leak = int(scene in seen and not picture.trains)
        row = dict(image=picture.image_name, split=split, smoke=label)
        row |= dict(kind=picture.kind, leak=leak, group=scene)
        plan.tasks.append(Task(str(picture.image), [row], picture.make, ('images', 'masks')))
    composites = sum(picture.kind == SYNTHETIC for picture in pictures)
    tests = sum(not picture.trains for picture in pictures)
    plan.notes = [
        f'{len(pictures) - composites} photographs and {composites} composites show '
        f'{len(set(scenes))} scenes',
        f'{sum(row["leak"] for row in plan.rows)} of {tests} test images of the official split '
        'show a scene of its train part (column leak)',
    ]
    return plan


def _digest(pictures: Sequence[Picture]) -> str:
    files = [file for picture in pictures for file in (picture.image, picture.mask)]
    names = [f'{file.parent.parent.name}/{file.parent.name}/{file.name}' for file in files]
    lines = [f'{name} {file.stat().st_size}' for name, file in zip(names, files, strict=True)]
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()


def _has_smoke(picture: Picture) -> int | DataError:
    try:
        return int(_smoke_of(picture.mask).any())
    except DataError as error:
        return error


def _pictures(folder: Path) -> list[Path]:
    kinds = ('.jpg', '.jpeg', '.png')
    return sorted(path for path in folder.glob('[!.]*') if path.suffix.lower() in kinds)


def _smoke_of(path: Path) -> np.ndarray:
    """Return 1 where a mask of the original, black and white, is white."""
    mask = read_mask(path)
    strange = np.setdiff1d(mask, [0, 255])
    if mask.ndim != 2 or mask.dtype != np.uint8 or len(strange):
        raise DataError(
            f'{path}: mask must be black and white, 8 bits; it is {mask.dtype}, '
            f'with values such as {strange[:3].tolist()}'
        )
    return (mask > 0).astype(np.uint8)
