"""Reads and writes images and masks."""

import colorsys
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from mmsmoke.utils import DataError, atomic_path, save_png

JPEG_QUALITY = 95
BEHIND = (124, 117, 104)
"""Names the colour that shows through transparent grey pictures, in RGB, as in mmcv."""


def read_image(path: str | os.PathLike, row: int | None = None) -> np.ndarray:
    """Return an image as every training sees it: uint8 [H, W, 3] RGB, turned as EXIF says.

    Args:
        row: of labels.csv, for messages.

    Raises:
        DataError: it cannot be read.
    """
    with open_image(path, row) as file:
        image = ImageOps.exif_transpose(file)
        picture = image.convert('RGB')
        if image.mode == 'LA':
            canvas = Image.new('RGB', image.size, BEHIND)
            canvas.paste(picture, mask=image.getchannel('A'))
            picture = canvas
        return np.array(picture)


@contextmanager
def open_image(path: str | os.PathLike, row: int | None = None) -> Iterator[Image.Image]:
    """Open an image; name it and its row whatever is wrong with it while it is open.

    Pillow decodes it: OpenCV fills the lost part of a truncated JPEG with grey and goes on.
    """
    try:
        with Image.open(path) as file:
            # Pillow would cut off all that is brighter than 255
            if file.mode[0] in 'IF':
                raise DataError('more than 8 bits a pixel; convert it to 8 bits')
            yield file
    except Exception as error:
        where = '' if row is None else f' (labels.csv row {row})'
        raise DataError(f'{path}{where}: image cannot be read: {reason_of(error)}') from error


def read_mask(path: str | os.PathLike) -> np.ndarray:
    """Return the values of an 8-bit mask; those of a palette PNG are its indices."""
    try:
        with Image.open(path) as file:
            return np.array(file)
    except Exception as error:
        raise DataError(f'{path}: mask cannot be read: {reason_of(error)}') from error


def read_scores(path: str | os.PathLike, num_classes: int) -> np.ndarray:
    """Return float [K, H / stride, W / stride] in [0, 1] from a PNG of scores of a label run."""
    values = read_mask(path).astype(np.float32) / 255
    return values.reshape(num_classes, -1, values.shape[1])


def reason_of(error: Exception) -> str:
    """Return in one line why a picture cannot be read."""
    if isinstance(error, Image.DecompressionBombError):
        most = 2 * Image.MAX_IMAGE_PIXELS / 1e6
        return f'more than {most:.0f} million pixels, which is too large; save it smaller'
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def require_same_size(path: str | os.PathLike, mask: np.ndarray, image: np.ndarray) -> None:
    """Raise unless the mask of this file has as many pixels as its image."""
    if mask.shape != image.shape[:2]:
        raise DataError(
            f'{path}: mask is {mask.shape[1]}x{mask.shape[0]}, '
            f'image is {image.shape[1]}x{image.shape[0]}'
        )


def make_palette(num_classes: int) -> list[list[int]]:
    """Return black, then well separated bright colours, the first of them orange."""
    colours = [colorsys.hsv_to_rgb((1 / 12 + 0.618 * k) % 1, 1, 1) for k in range(num_classes - 1)]
    return [[0, 0, 0], *([round(255 * value) for value in colour] for colour in colours)]


def voc_palette(num_classes: int) -> list[list[int]]:
    """Return the colours that VOC gives its masks; lists of any length begin alike.

    The bits of a value, from the lowest on, become the highest bits of red, green and blue in turn.
    """
    return [
        [sum((value >> 3 * k + channel & 1) << 7 - k for k in range(3)) for channel in range(3)]
        for value in range(num_classes)
    ]


def copy_file(path: Path, target: Path) -> None:
    """Copy a file byte for byte; whoever copies an image checks first whether it decodes."""
    with atomic_path(target) as temporary:
        shutil.copyfile(path, temporary)


def save_image(path: Path, image: np.ndarray) -> None:
    """Save RGB as JPEG of quality 95 without colour subsampling, or losslessly as .png."""
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
    """Save a mask, uint8 [H, W], with the values 0 to ``num_classes``."""
    save_png(path, mask, make_palette(num_classes + 1))
