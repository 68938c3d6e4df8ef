import os
import shutil
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.utils import atomic_path, save_png

from .transforms import LoadImage
from .weak_seg import make_palette

JPEG_QUALITY = 95


def read_image(path: str | os.PathLike) -> np.ndarray:
    """uint8 [H, W, 3] RGB as displayed, as every training will see it."""
    return LoadImage().transform(dict(img_path=str(path)))['img'][..., ::-1]


def copy_file(path: Path, target: Path) -> None:
    """Byte for byte; whoever copies an image looks first whether it can be decoded."""
    with atomic_path(target) as temporary:
        shutil.copyfile(path, temporary)


def save_image(path: Path, image: np.ndarray) -> None:
    """RGB as JPEG of quality 95 without colour subsampling, or losslessly if it is named .png."""
    if path.suffix.lower() == '.png':
        save_png(path, np.ascontiguousarray(image))
        return
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    data = cv2.imencode('.jpg', image[..., ::-1], options)[1]
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


def save_mask(path: Path, mask: np.ndarray, num_classes: int = 1) -> None:
    """uint8 [H, W] with the values 0 to ``num_classes``."""
    save_png(path, mask, make_palette(num_classes + 1))
