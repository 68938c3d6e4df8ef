"""Cut square pieces out of a panorama."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmsmoke.datasets.splitting import shuffled
from mmsmoke.utils import DataError

TOP, LEFT = 0.12, 0.24
"""Margins that the thesis cuts off, since there are watermarks in them."""
WINDOW, STRIDE = 512, 128
LEAST_SMOKE, MOST_WINDOWS = 0.005, 3
VIEWS = {
    'kooks_2': ((128, 54, 900), (816, 88, 900)),
    'kooks_1': ((59, 344, 600), (500, 348, 600), (871, 340, 600), (1261, 362, 600)),
    'hoogovens_6_7': ((0, 263, 700), (417, 267, 700), (794, 166, 800), (1500, 500, 400)),
}
"""x, y and side of each camera's views; the file names of its panoramas hold its name."""


@dataclass(frozen=True)
class Window:
    x: int
    y: int
    side: int
    name: str

    def columns(self) -> dict[str, int | str]:
        """Return where it was, for labels.csv."""
        return dict(view=self.name, x=self.x, y=self.y, side=self.side)

    def cut(self, picture: np.ndarray) -> np.ndarray:
        piece = picture[self.y : self.y + self.side, self.x : self.x + self.side]
        if piece.shape[:2] != (self.side, self.side):
            raise DataError(
                f'{self.name} reaches to ({self.x + self.side}, {self.y + self.side}), out of a '
                f'picture of {picture.shape[1]}x{picture.shape[0]}'
            )
        return piece


def thesis_grid(height: int, width: int) -> Iterator[Window]:
    """Yield all windows of the thesis, from left to right and then down."""
    top, left = int(TOP * height), int(LEFT * width)
    for y in range(top, height - WINDOW + 1, STRIDE):
        for x in range(left, width - WINDOW + 1, STRIDE):
            yield Window(x, y, WINDOW, f'window_{x}_{y}')


def smokiest(mask: np.ndarray) -> list[Window]:
    """Make the thesis' choice: at most three windows of a panorama, those with most smoke."""
    shares = {window: np.mean(window.cut(mask) > 0) for window in thesis_grid(*mask.shape)}
    enough = [window for window, share in shares.items() if share >= LEAST_SMOKE]
    return sorted(enough, key=lambda window: -shares[window])[:MOST_WINDOWS]


def clear_ones(mask: np.ndarray, name: str) -> list[Window]:
    """Return at most three windows without any smoke, chosen by lot; ``name`` decides it."""
    clear = [window for window in thesis_grid(*mask.shape) if not window.cut(mask).any()]
    return sorted(clear, key=lambda window: shuffled(f'{name} {window.name}'))[:MOST_WINDOWS]


def camera_of(file_name: str, views: Mapping = VIEWS) -> str | None:
    """Return the first camera, in the order of ``views``, whose name the file name holds."""
    return next((camera for camera in views if camera in file_name), None)


def views_of(camera: str, views: Mapping[str, Iterable[Sequence[int]]] = VIEWS) -> list[Window]:
    """Return the camera's views; their numbers begin at 1."""
    return [Window(*place, f'crop_{k}') for k, place in enumerate(views[camera], 1)]
