import json

import numpy as np
import pytest
from conftest import save, write_table
from PIL import Image

from mmsmoke.converters.companions import draw_companions
from mmsmoke.datasets import WeakSegDataset
from mmsmoke.utils import DataError, UserError

SQUARE = [[40, 20], [59, 20], [59, 39], [40, 39]]


@pytest.fixture
def data(tmp_path):
    """Two views of one camera and one of another: whole pictures, half-sized ones, windows."""
    root = tmp_path / 'data'
    rows = [
        ('images/a.png', 'test', 1, 'north', 'left', 'whole', '', '', ''),
        ('images/b.png', 'test', 0, 'north', 'left', 'whole', '', '', ''),
        ('images/c.png', 'test', 0, 'north', 'right', 'whole', '', '', ''),
        ('images/d.png', 'test', 1, 'south', 'left', 'window', 30, 10, 50),
    ]
    sizes = [(60, 80), (30, 40), (60, 80), (100, 100)]
    for row, size in zip(rows, sizes, strict=True):
        save(root / row[0], np.zeros((*size, 3), np.uint8))
    header = ('image', 'split', 'smoke', 'camera', 'view', 'kind', 'x', 'y', 'side')
    write_table(root, header, rows)
    return root


def polygons(tmp_path, **content):
    path = tmp_path / 'polygons.json'
    path.write_text(json.dumps(dict(view=['camera', 'view'], size=[80, 60]) | content))
    return path


def context(data, name):
    return np.array(Image.open(data / 'context' / name))


def test_polygons_serve_all_images_of_a_view(data, tmp_path):
    file = polygons(tmp_path, polygons={'north left': [SQUARE], 'south left': [SQUARE]})
    counts = draw_companions(data, file)
    assert counts == {'north left': 2, 'north right': 0, 'south left': 1}
    expected = np.zeros((60, 80), np.uint8)
    expected[20:40, 40:60] = 1
    assert np.array_equal(context(data, 'a.png'), expected)
    half = context(data, 'b.png')
    assert half.shape == (30, 40) and half[10:20, 20:30].all()
    assert abs(int(half.sum()) - 100) <= 21  # a pixel along the border
    # a window from (30, 10) of 50 pixels, shown at twice the size
    window = context(data, 'd.png')
    assert window[20:58, 20:58].all() and not window[:19].any() and not window[62:].any()
    assert not (data / 'context/c.png').exists()


def test_the_data_set_finds_them(data, tmp_path):
    draw_companions(data, polygons(tmp_path, polygons={'north left': [SQUARE]}))
    infos = WeakSegDataset(str(data), split='test', test_mode=True, check_masks=False)
    assert ['context_path' in info for info in infos] == [True, True, False, False]


def test_an_empty_view_is_a_view_without_chimneys(data, tmp_path):
    draw_companions(data, polygons(tmp_path, polygons={'north right': []}))
    assert not context(data, 'c.png').any()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (dict(polygons={'nort left': [SQUARE]}), "no view 'nort left', but \\['north left'"),
        (dict(polygons={}, view=['tower']), "no column 'tower'"),
        (dict(polygons={}, view='camera'), 'view must be a list'),
        (dict(size=3), "is no file of polygons: KeyError\\('polygons'"),
        (dict(polygons={'north left': SQUARE}), 'at least three'),
        (dict(polygons={'north left': [SQUARE[:2]]}), 'at least three'),
        (dict(polygons={'north left': [[]]}), 'at least three'),
        (dict(polygons={'north left': [[[1, 2], [3, 4], [5, float('nan')]]]}), 'not finite'),
    ],
)
def test_mistakes_are_named_before_anything_is_written(data, tmp_path, content, message):
    with pytest.raises((UserError, DataError), match=message):
        draw_companions(data, polygons(tmp_path, **content))
    assert not (data / 'context').exists()
    with pytest.raises(UserError, match=r'nothing\.json not found'):
        draw_companions(data, 'nothing.json')


def test_masks_that_are_there_are_not_replaced_unasked(data, tmp_path):
    draw_companions(data, polygons(tmp_path, polygons={'north left': [SQUARE]}))
    other = polygons(tmp_path, polygons={'north left': []})
    with pytest.raises(UserError, match='context exists; pass --overwrite'):
        draw_companions(data, other)
    assert context(data, 'a.png').any()
    draw_companions(data, other, overwrite=True)
    assert not context(data, 'a.png').any()
