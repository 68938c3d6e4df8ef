"""Find the images that masks and outlines are of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmsmoke.datasets.masks import checked_mask
from mmsmoke.datasets.pictures import reason_of
from mmsmoke.datasets.table import (
    IMAGES,
    TABLE,
    Row,
    choose_split,
    displayed_size,
    mask_name_of,
    read_table,
    require_own_masks,
)
from mmsmoke.utils import DataError, UserError


@dataclass(frozen=True)
class Picture:
    """Hold an image, and the mask that is to be outlined.

    Attributes:
        name: below the folder of images.
        row: of labels.csv, if it is of a data set.
        mask: None for an image that shows nothing.
    """

    name: str
    path: Path
    row: Row | None = None
    mask: Path | None = None

    @property
    def mask_name(self) -> str:
        return mask_name_of(self.row.image if self.row else self.name)

    def size(self) -> tuple[int, int]:
        """Read width and height, after the rotation that EXIF asks for."""
        try:
            return displayed_size(self.path)
        except Exception as error:
            raise DataError(f'{self.path}: image cannot be read: {reason_of(error)}') from error

    def read(self, num_classes: int) -> np.ndarray:
        """Return the mask, uint8 [H, W], once it is known to be one of this image."""
        width, height = self.size()
        if self.mask is None:
            return np.zeros((height, width), np.uint8)
        return checked_mask(self.mask, (width, height), num_classes)


def is_dataset(place: Path) -> bool:
    return (place / TABLE).is_file()


def known_images(
    place: Path, classes: Sequence[str] = (), splits: Sequence[str] = ()
) -> list[Picture]:
    """Return the images of a data set, or of a folder and all folders below it, without masks."""
    if is_dataset(place):
        rows, problems = read_table(place, classes)
        if problems:
            raise DataError(f'{place}: {problems[0]}')
        rows = choose_split(rows, splits) if splits else rows
        found = [Picture(row.image.removeprefix('images/'), place / row.image, row) for row in rows]
    elif splits:
        raise UserError(f'{place} is no data set, so it has no splits')
    elif not place.is_dir():
        raise UserError(f'folder {place} not found')
    else:
        paths = [path for path in sorted(place.rglob('*')) if path.suffix.lower() in IMAGES]
        found = [
            Picture(path.relative_to(place).as_posix(), path)
            for path in paths
            if not path.name.startswith('.') and path.is_file()
        ]
    if not found:
        raise UserError(f'no images found in {place}')
    for one in found:
        if not one.name.isprintable():
            raise DataError(f'{place}: {one.name!r} is no name that other tools can read')
    require_own_masks((one.row.image if one.row else one.name, one.path) for one in found)
    return found


def pictures_of(
    source: Path, images: Path | None, classes: Sequence[str], splits: Sequence[str] = ()
) -> tuple[list[Picture], int]:
    """Return the images that have a mask, and the number of those that have none.

    Args:
        source: a data set with its own masks; or a folder of masks, or one that has them in
            ``masks/``, as a label run and tools/infer.py write them.
        images: for a folder of masks, the folder or data set with the images.
    """
    own = is_dataset(source)
    if not source.is_dir():
        raise UserError(f'folder {source} not found')
    if own == (images is not None):
        raise UserError(
            f'{source} is a data set, which has its images: leave out --images'
            if own
            else f'{source} has no {TABLE}: say with --images of which images these masks are'
        )
    masks = source / 'masks' if own or (source / 'masks').is_dir() else source
    known = known_images(source if own else images, classes, splits)
    found = []
    for one in known:
        image = Path(one.row.image if one.row else one.name)
        # tools/infer.py keeps a folder images/ that it finds below the one it is given
        places = [masks / one.mask_name, masks / image.with_suffix('.png')]
        mask = next((place for place in places if place.is_file()), None)
        if mask is not None:
            found.append(Picture(one.name, one.path, one.row, mask))
        elif own and not any(one.row.labels):
            found.append(one)
    if not any(one.mask for one in found):
        raise UserError(f'{masks} has no mask of any of these images')
    return found, len(known) - len(found)
