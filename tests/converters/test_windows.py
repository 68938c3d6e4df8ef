import numpy as np
import pytest

from mmsmoke.converters.windows import (
    VIEWS,
    Window,
    camera_of,
    clear_ones,
    smokiest,
    thesis_grid,
    views_of,
)
from mmsmoke.utils import DataError


def test_grid_of_the_thesis():
    windows = list(thesis_grid(1280, 1920))
    xs, ys = ({getattr(window, axis) for window in windows} for axis in 'xy')
    assert min(ys) == 1280 - 1127 and min(xs) == 1920 - 1460  # what the margins leave
    assert sorted(ys) == list(range(153, 1280 - 512 + 1, 128))
    assert sorted(xs) == list(range(460, 1920 - 512 + 1, 128))
    assert len(windows) == len(xs) * len(ys) == 40
    assert list(thesis_grid(500, 1920)) == []


def test_at_most_three_windows_those_with_most_smoke():
    rng = np.random.default_rng(0)
    mask = (rng.random((1280, 1920)) < np.linspace(0, 0.5, 1920)).astype(np.uint8)
    chosen = smokiest(mask)
    shares = sorted((window.cut(mask).mean() for window in thesis_grid(*mask.shape)), reverse=True)
    assert [window.cut(mask).mean() for window in chosen] == shares[:3]


def test_windows_with_little_smoke_are_dropped():
    mask = np.zeros((1280, 1920), np.uint8)
    window = next(thesis_grid(*mask.shape))
    least = int(np.ceil(0.005 * 512**2))
    mask[window.y, window.x : window.x + 512] = 1
    mask[window.y + 1 : window.y + 3, window.x : window.x + 512] = 1
    assert mask.sum() > least  # in one row of windows only
    assert window in smokiest(mask)
    mask[window.y + 2, window.x : window.x + 512] = 0
    assert smokiest(mask) == []


def test_clear_windows_have_no_smoke_at_all():
    mask = np.zeros((1280, 1920), np.uint8)
    mask[700:, 1000:] = 2
    clear = clear_ones(mask, 'a.jpg')
    assert len(clear) == 3 and not any(window.cut(mask).any() for window in clear)
    assert clear == clear_ones(mask, 'a.jpg') != clear_ones(mask, 'b.jpg')
    assert clear_ones(np.ones_like(mask), 'a.jpg') == []


def test_views_of_cameras():
    assert camera_of('x_kooks_2_2023.jpg') == 'kooks_2' and camera_of('other.jpg') is None
    assert [len(views_of(camera)) for camera in VIEWS] == [2, 4, 4]
    assert views_of('kooks_2')[1] == Window(816, 88, 900, 'crop_2')
    frame = np.zeros((1080, 1920), np.uint8)
    for camera in VIEWS:
        for window in views_of(camera):
            assert window.cut(frame).shape == (window.side, window.side)


def test_a_view_outside_of_the_picture_is_an_error():
    with pytest.raises(DataError, match=r'crop_1 reaches to \(30, 30\), out of a picture of 40x20'):
        Window(10, 10, 20, 'crop_1').cut(np.zeros((20, 40, 3)))
