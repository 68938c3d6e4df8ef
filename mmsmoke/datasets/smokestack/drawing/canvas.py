"""Hold a float picture and the shapes that can be painted on it."""

import numpy as np

Window = tuple[slice, slice]
Shape = tuple[Window, np.ndarray]
"""Where it is and how much of each pixel it covers there."""
Span = tuple[float, float]

EVERYWHERE = (slice(None), slice(None))


def span(center: float, width: float) -> Span:
    return center - width / 2, center + width / 2


def _integral_of_bands(position: np.ndarray, filled: float) -> np.ndarray:
    whole = np.floor(position)
    return whole * filled + np.minimum(position - whole, filled)


class Canvas:
    """Hold a float picture [3, H, W] that is painted from far to near.

    Args:
        size: of the picture, in pixels.
        shake: how far the camera looks to the right and downwards of where it stands.
    """

    def __init__(self, size: int, shake: tuple[float, float] = (0.0, 0.0)):
        self.size, self.shake = size, shake
        self.pixels = np.zeros((3, size, size), np.float32)
        centers = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = centers[None, :] + shake[0], centers[:, None] + shake[1]

    def blank(self, value: float) -> np.ndarray:
        """Return a map [H, W] to keep record of what was painted where."""
        return np.full((self.size, self.size), value, np.float32)

    def window(self, left: float, top: float, right: float, bottom: float) -> Window:
        """Return the pixels that a box touches, none if it lies outside the picture."""
        right_of, below = self.shake
        return self._pixels(top - below, bottom - below), self._pixels(
            left - right_of, right - right_of
        )

    def _pixels(self, start: float, end: float) -> slice:
        first, behind = int(np.floor(start * self.size)), int(np.ceil(end * self.size))
        return slice(max(first, 0), min(max(behind, 0), self.size))

    def grid(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        return self.x[:, window[1]], self.y[window[0]]

    def paint(self, window: Window, color: np.ndarray, alpha: np.ndarray) -> None:
        area = self.pixels[(slice(None), *window)]
        area *= 1 - alpha
        area += color * alpha

    def trapezoid(self, top: float, bottom: float, upper: Span, lower: Span) -> Shape:
        """Return an antialiased shape with level top and bottom edges."""
        left, right = min(upper[0], lower[0]), max(upper[1], lower[1])
        window = self.window(left, top, right, bottom)
        x, y = self.grid(window)
        half = 0.5 / self.size
        down = np.clip((y - top) / max(bottom - top, 1e-6), 0, 1)
        start = upper[0] + (lower[0] - upper[0]) * down
        end = upper[1] + (lower[1] - upper[1]) * down
        across = np.minimum(x + half, end) - np.maximum(x - half, start)
        along = np.minimum(y + half, bottom) - np.maximum(y - half, top)
        return window, np.clip(across * self.size, 0, 1) * np.clip(along * self.size, 0, 1)

    def below(self, top: np.ndarray | float, y: np.ndarray) -> np.ndarray:
        """Return antialiased coverage of everything under the edge `top`."""
        return np.clip((y - top) * self.size + 0.5, 0, 1)

    def bands(self, centers: np.ndarray, start: float, period: float, filled: float) -> np.ndarray:
        """Return the share of each pixel that a periodic band covers, exact at every resolution."""
        half = 0.5 / self.size
        low = (centers - (start + half)) / period
        high = (centers - (start - half)) / period
        integral = _integral_of_bands(high, filled) - _integral_of_bands(low, filled)
        return integral * (period * self.size)
