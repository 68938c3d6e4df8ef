"""Tell what moves from what stands, by a background that follows a camera slowly."""

import numpy as np


def toward_median(background: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Return a background one grey level nearer to a picture, both uint8 of one shape.

    After many pictures it is about the median of each pixel, without a memory of any of them.
    """
    step = (picture > background).astype(np.int16) - (picture < background)
    return (background + step).astype(np.uint8)


def changed(background: np.ndarray, picture: np.ndarray, levels: float) -> np.ndarray:
    """Return where two pictures, uint8 of one shape, differ by at least so many levels."""
    return np.abs(background.astype(np.int16) - picture) >= levels
