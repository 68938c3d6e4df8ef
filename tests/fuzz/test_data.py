"""Tables, masks, pictures and files of annotations."""

import csv
import io
import json

import numpy as np
import pytest
from conftest import write_dataset
from hostile import JSON, altered, answered, damaged
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tiny_trained import PIPELINE

from mmsmoke.converters.coco import draw_mask, read_coco
from mmsmoke.converters.companions import companion_mask
from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.checks.overview import check_dataset
from mmsmoke.datasets.table import Row
from mmsmoke.datasets.zones import ViewPolygons
from mmsmoke.inference.frames import Item
from mmsmoke.inference.inputs import TestPipeline

COCO = dict(
    images=[
        dict(id=1, file_name='a.jpg', width=8, height=6),
        dict(id=2, file_name='b.jpg', width=8, height=6),
    ],
    categories=[dict(id=1, name='smoke'), dict(id=2, name='steam')],
    annotations=[
        dict(id=1, image_id=1, category_id=1, segmentation=[[1, 1, 5, 1, 5, 4, 1, 4]]),
        dict(id=2, image_id=1, category_id=2, segmentation=[[0, 0, 2, 0, 2, 2]], bbox=[0, 0, 2, 2]),
        dict(id=3, image_id=2, category_id=1, segmentation=dict(size=[6, 8], counts=[10, 20, 18])),
        dict(id=4, image_id=2, category_id=2, segmentation=dict(size=[6, 8], counts='PQ1')),
    ],
)
POLYGONS = dict(
    view=['camera'],
    size=[16, 12],
    polygons=dict(north=[[[1, 1], [5, 1], [5, 8]], [[9, 2], [12, 2], [12, 9]]], south=[]),
)
CELLS = st.text(max_size=12) | st.sampled_from(
    [
        *('images/train_0.png', 'images/', '../x.png', '/etc/passwd', 'images/\n.png', '🙂.png'),
        *('train', 'val', 'Train', '1', '0', 'yes', 'NO', ' true ', '1.0', '-1', '', '\0'),
        'x' * 300 + '.png',
    ]
)


@pytest.fixture(autouse=True)
def small_limit(monkeypatch):
    """A damaged header may claim a hundred million pixels, which are then made, in seconds."""
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10**5)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp('fuzz') / 'data', size=(12, 9), context=True)


@pytest.fixture
def restored(root):
    """The data set; what a test does to it is undone."""
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    yield root
    for path, content in before.items():
        path.write_bytes(content)


def look(root):
    """Check a data set and open its splits, as the tool and a training would."""
    report = check_dataset(root)
    for line in [*report.problems, *report.warnings]:
        assert line and '\n' not in line, line
    report.table(), report.probe_table()
    light = dict(serialize_data=False)  # serialising collects garbage, which takes most of the time
    for split in ('train', 'val'):
        with answered():
            data = WeakSegDataset(root, split=split, pipeline=PIPELINE, test_mode=True, **light)
            for index in range(len(data)):
                data[index]
        with answered():
            WeakSegDataset(root, split=split, **light)


@given(data=st.data())
def test_damaged_tables(restored, data):
    table = restored / 'labels.csv'
    good = _good(restored, table)
    table.write_bytes(data.draw(damaged(good)))
    look(restored)
    table.write_bytes(good)


@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=6), header=st.booleans())
def test_strange_tables(restored, rows, header):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows(([['image', 'split', 'smoke']] if header else []) + rows)
    (restored / 'labels.csv').write_bytes(text.getvalue().encode('utf-8', 'surrogatepass'))
    look(restored)


@given(data=st.data(), folder=st.sampled_from(['images', 'masks', 'context']))
def test_damaged_pictures(restored, data, folder):
    path = restored / folder / 'train_0.png'
    good = _good(restored, path)
    path.write_bytes(data.draw(damaged(good)))
    look(restored)
    path.write_bytes(good)


@given(
    mode=st.sampled_from(['1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'CMYK', 'I', 'I;16', 'F']),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    kind=st.sampled_from(['png', 'tiff', 'jpeg', 'bmp', 'gif', 'webp']),
    folder=st.sampled_from(['images', 'masks']),
    value=st.integers(0, 255),
)
def test_pictures_of_every_mode(restored, mode, size, kind, folder, value):
    path = restored / folder / 'train_0.png'
    good = _good(restored, path)
    try:
        Image.new(mode, size, value if mode != 'F' else 0.5).save(path, format=kind)
    except (OSError, ValueError, TypeError, KeyError):
        return  # no such file can be made
    look(restored)
    path.write_bytes(good)


def _good(root, path, kept={}):  # noqa: B006 (one for all examples)
    return kept.setdefault(path, path.read_bytes())


@given(content=altered(COCO) | JSON)
def test_strange_coco_files(tmp_path, content):
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(content))
    with answered():
        images, _ = read_coco(path)
        for image in images:
            mask = draw_mask(image, dict.fromkeys(range(-(10**6), 10), 1) | {1: 1, 2: 2})
            assert mask.shape == (image.height, image.width)


@given(content=altered(POLYGONS) | JSON)
def test_strange_polygons(tmp_path, content):
    path = tmp_path / 'polygons.json'
    path.write_text(json.dumps(content))
    row = Row(2, 'images/a.png', 'train', (1,), dict(camera='north'))
    with answered():
        companion_mask(ViewPolygons.read(path), row, 16, 12)


@given(data=st.data(), name=st.sampled_from(['a.png', 'a.jpg', 'a.tiff', 'a.webp', 'a.bmp']))
def test_damaged_files_to_look_at(tmp_path, data, name):
    good = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (9, 12, 3), np.uint8)
    Image.fromarray(pixels).save(good, 'jpeg' if 'jpg' in name else name.split('.')[1])
    path = tmp_path / name
    path.write_bytes(data.draw(damaged(good.getvalue())))
    with answered():
        prepared = _pipeline()(Item(name, path))
        assert prepared.picture.dtype == np.uint8 and prepared.inputs.ndim == 3


def _pipeline(made=[]):  # noqa: B006 (one for all examples)
    if not made:
        from mmengine.config import Config

        dataset = dict(
            type='mmsmoke.WeakSegDataset', data_root='nowhere', test_mode=True, pipeline=PIPELINE
        )
        cfg = Config(dict(default_scope='mmpretrain', test_dataloader=dict(dataset=dataset)))
        made.append(TestPipeline(cfg))
    return made[0]
