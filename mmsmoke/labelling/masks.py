"""Keep the masks of a folder's pictures, beside what a model proposes."""

from pathlib import Path

import numpy as np

from mmsmoke.datasets.masks import checked_mask
from mmsmoke.datasets.pictures import reason_of, save_mask
from mmsmoke.datasets.table import displayed_size, mask_name_of
from mmsmoke.functional import IGNORE
from mmsmoke.utils import DataError

from .locks import alone
from .pictures import is_inside

MASKS = 'masks'


class Outdated(DataError):
    """Report that somebody else has changed a mask, or zones, meanwhile."""


class Masks:
    """Read and write masks, uint8 [H, W]: 0 background, k + 1 class k, 255 ignore.

    Args:
        proposals: folder with PNG masks, or with ``masks/`` as tools/infer.py writes it.
    """

    def __init__(self, root: Path, num_classes: int, proposals: Path | None = None):
        self.root, self.num_classes, self.proposals = root, num_classes, proposals

    def size(self, name: str) -> tuple[int, int]:
        """Return width and height of a picture as it is displayed."""
        try:
            return displayed_size(self.root / name)
        except Exception as error:
            raise DataError(f'{name}: image cannot be read: {reason_of(error)}') from error

    def version(self, name: str) -> str | None:
        """Return what changes whenever a mask does; None where there is none."""
        try:
            stat = self._path(name).stat()
        except FileNotFoundError:
            return None
        return f'{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}'

    def read(self, name: str) -> np.ndarray:
        folder = self.root / MASKS
        return checked_mask(self._path(name), self.size(name), self.num_classes, folder)

    def proposal_path(self, name: str) -> Path | None:
        """Return the PNG that proposes a mask, if there is one."""
        if self.proposals is None:
            return None
        mask = mask_name_of(name)
        # tools/infer.py names results as they lie in the folder that it was given
        places = (self.proposals / folder for folder in ('masks', '', 'masks/images', 'images'))
        return next((place / mask for place in places if (place / mask).is_file()), None)

    def read_proposal(self, name: str) -> np.ndarray:
        path = self.proposal_path(name)
        if path is None:
            raise DataError(f'no mask is proposed for {name}')
        return checked_mask(path, self.size(name), self.num_classes, self.proposals)

    def write(self, name: str, values: bytes, known: str | None) -> str:
        """Write a mask, row by row; return its version.

        Args:
            known: version that was changed here.

        Raises:
            Outdated: if it is another now.
        """
        width, height = self.size(name)
        mask = np.frombuffer(values, np.uint8)
        if mask.size != width * height:
            raise DataError(f'{name} has {width} x {height} pixels, the mask {mask.size}')
        if ((mask > self.num_classes) & (mask != IGNORE)).any():
            raise DataError(f'a mask has the values 0 to {self.num_classes} and {IGNORE} only')
        with alone(self.root / MASKS):
            if self.version(name) != known:
                raise Outdated(f'{self._path(name)} has been changed elsewhere meanwhile')
            save_mask(self._path(name), mask.reshape(height, width), self.num_classes)
            return self.version(name)

    def _path(self, name: str) -> Path:
        path = self.root / MASKS / mask_name_of(name)
        if not is_inside(self.root, str(path.relative_to(self.root))):
            raise DataError(f'{path} lies outside of {self.root}, where a link leads to')
        return path
