import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from .files import atomic_path

_GREY = [128, 128, 128]


def save_png(
    path: str | os.PathLike,
    pixels: np.ndarray,
    palette: Sequence[Sequence[int]] | None = None,
    **options,
) -> None:
    """Write a picture or, with a palette, a mask.

    Viewers show the colours of a palette PNG, loaders read its indices.

    Args:
        pixels: uint8 [H, W, 3] RGB, or [H, W].
        palette: RGB of the values of a mask; those beyond are grey.
        options: of Pillow's ``save``.
    """
    picture = Image.fromarray(pixels)
    if palette is not None:
        # all 256: with fewer, Pillow stores fewer bits a pixel and 255 would not survive
        colours = [*palette, *[_GREY] * (256 - len(palette))]
        picture.putpalette([value for colour in colours for value in colour])
    with atomic_path(path) as temporary:
        picture.save(temporary, **options)
