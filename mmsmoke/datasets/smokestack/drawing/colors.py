"""Mix colours: RGB tuples in [0, 1] of what is laid out, arrays [3, H, W] of what is drawn."""

import numpy as np

from .elements import Color
from .textures import lerp


def mix(a: Color, b: Color, share: float) -> Color:
    return tuple(lerp(x, y, share) for x, y in zip(a, b, strict=True))


def tinted(color: Color, light: Color) -> Color:
    return tuple(x * y for x, y in zip(color, light, strict=True))


def scaled(color: Color, factor: float) -> Color:
    return tuple(min(value * factor, 1.0) for value in color)


def luma(color: Color) -> float:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def as_array(color: Color) -> np.ndarray:
    """Return [3, 1, 1]."""
    return np.array(color, np.float32)[:, None, None]


def gradient(a: Color, b: Color, share: np.ndarray) -> np.ndarray:
    """Mix with a share of its own in each pixel."""
    return lerp(as_array(a), as_array(b), share)
