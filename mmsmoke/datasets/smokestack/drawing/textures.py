"""Make fractal noise and what makes a lumpy surface of it."""

import numpy as np

from .dice import generator

TEXELS = 128  # a power of two
CELLS = 8  # of the coarsest octave
AMPLITUDES = (1, 0.5, 0.25, 0.125)


def lerp(a, b, share):
    return a * (1 - share) + b * share


def smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _stretched(lattice: np.ndarray) -> np.ndarray:
    """Return a periodic lattice, smoothly interpolated to `TEXELS` x `TEXELS`."""
    cells = len(lattice)
    position = np.arange(TEXELS, dtype=np.float32) * (cells / TEXELS)
    low = position.astype(np.intp)
    share = smoothstep(position - low)
    high = (low + 1) % cells
    rows = lerp(lattice[low], lattice[high], share[:, None])
    return lerp(rows[:, low], rows[:, high], share)


class Noise:
    """Make periodic fractal noise in [0, 1]; `billowy` gives round lumps of cumulus and smoke."""

    def __init__(self, seed: int, billowy: bool = False):
        draw = generator(seed)
        total = np.zeros((TEXELS, TEXELS), np.float32)
        for octave, amplitude in enumerate(AMPLITUDES):
            cells = CELLS << octave
            values = _stretched(draw.random((cells, cells), np.float32))
            total += amplitude * (np.abs(2 * values - 1) if billowy else values)
        total /= sum(AMPLITUDES)
        low, high = (0.08, 0.72) if billowy else (0.2, 0.8)
        self._table = np.clip((total - low) / (high - low), 0, 1).ravel()

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Sample at broadcastable coordinates in cells of the coarsest octave."""
        texels_per_cell = TEXELS // CELLS
        u, v = u * texels_per_cell, v * texels_per_cell
        u_floor, v_floor = np.floor(u), np.floor(v)
        u_share, v_share = u - u_floor, v - v_floor
        column, row = u_floor.astype(np.int32), v_floor.astype(np.int32)
        wrap = TEXELS - 1
        left, right = column & wrap, (column + 1) & wrap
        upper, lower = (row & wrap) * TEXELS, ((row + 1) & wrap) * TEXELS
        take = self._table.take
        above = lerp(take(upper + left), take(upper + right), u_share)
        below = lerp(take(lower + left), take(lower + right), u_share)
        return lerp(above, below, v_share)

    def lighting(self, u: np.ndarray, v: np.ndarray, here: np.ndarray, toward) -> np.ndarray:
        """Light the lumps of height `here`: bright where they fall off towards the light."""
        return 0.55 + 1.3 * (here - self(u + toward[0], v + toward[1]))
