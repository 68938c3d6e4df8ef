import json

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.zones import ViewPolygons, write_view, zone_masks
from mmsmoke.experiments.evaluate import masks_hash
from mmsmoke.utils import DataError, UserError

SQUARE = [[10, 5], [29, 5], [29, 14], [10, 14]]
CORNER = [[0, 0], [4, 0], [4, 4], [0, 4]]
NONE = dict(polygons=[], zones=[], ignored=[])


def write(tmp_path, **content):
    path = tmp_path / 'zones.json'
    path.write_text(json.dumps(dict(view=['camera'], polygons={}) | content))
    return path


def square(height, width, top, left, bottom, right):
    mask = np.zeros((height, width), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_zones_and_ignored_areas_are_drawn_in_any_size(tmp_path):
    path = write(
        tmp_path, size=[40, 20], zones=dict(north=[SQUARE, CORNER]), ignored=dict(north=[CORNER])
    )
    watched, ignored = zone_masks(path, 'north', 40, 20)
    assert watched.dtype == ignored.dtype == bool
    assert np.array_equal(ignored, square(20, 40, 0, 0, 5, 5))
    assert np.array_equal(watched, square(20, 40, 5, 10, 15, 30) | ignored)
    doubled, _ = zone_masks(ViewPolygons.read(path), 'north', 80, 40)
    assert doubled.shape == (40, 80) and doubled[10:28, 20:58].all() and not doubled[20, :19].any()


def test_without_zones_all_is_watched(tmp_path):
    for content in (dict(), dict(ignored=dict(gate=[CORNER])), dict(zones=dict(gate=[]))):
        watched, ignored = zone_masks(write(tmp_path, **content), 'gate', 8, 6)
        assert watched.all() and watched.shape == (6, 8) and ignored.any() == ('ignored' in content)


def test_a_view_that_nobody_has_drawn_is_named(tmp_path):
    path = write(tmp_path, zones=dict(gate=[CORNER]), polygons=dict(tower=[]))
    with pytest.raises(UserError, match=r"no view 'nort' has been drawn, but \['gate', 'tower'\]"):
        zone_masks(path, 'nort', 8, 6)
    assert zone_masks(path, 'tower', 8, 6)[0].all()
    with pytest.raises(UserError, match=r'\{"the \\"new\\" one": \[\]\} in "zones" watches all'):
        zone_masks(path, 'the "new" one', 8, 6)
    # what the message says to do
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | dict(zones=content['zones'] | dict(nort=[]))))
    watched, ignored = zone_masks(path, 'nort', 8, 6)
    assert watched.all() and not ignored.any()


def test_files_of_companions_stay_valid(tmp_path):
    found = ViewPolygons.read(write(tmp_path, polygons=dict(north=[SQUARE])))
    assert found.zones == found.ignored == {} and found.polygons['north'][0].tolist() == SQUARE


@pytest.mark.parametrize(
    'content', [dict(zones=3), dict(ignored=dict(a=[SQUARE[:2]])), dict(zones=[])]
)
def test_mistakes_are_named(tmp_path, content):
    with pytest.raises(DataError, match='is no file of polygons'):
        zone_masks(write(tmp_path, **content), 'a', 8, 6)
    with pytest.raises(UserError, match='not found'):
        zone_masks(tmp_path / 'none.json', 'a', 8, 6)


def test_a_view_is_replaced_and_all_else_stays(tmp_path):
    path = write(
        tmp_path, polygons=dict(north=[], gate=[SQUARE]), zones=dict(gate=[CORNER]), note='mine'
    )
    before = json.loads(path.read_text())
    write_view(path, ['other'], [1, 1], 'north', NONE | dict(zones=[SQUARE]))
    after = json.loads(path.read_text())
    assert after == before | dict(zones=dict(gate=[CORNER], north=[SQUARE]), ignored={})
    write_view(path, [], None, 'gate', NONE)
    after = json.loads(path.read_text())
    assert after['polygons'] == dict(north=[], gate=[])  # a list that was there is empty now
    assert after['zones'] == dict(gate=[], north=[SQUARE]) and after['ignored'] == {}


def test_a_new_file_says_what_it_was_drawn_on(tmp_path):
    write_view(tmp_path / 'new.json', ['camera'], (40, 20), 'north', NONE | dict(ignored=[CORNER]))
    content = json.loads((tmp_path / 'new.json').read_text())
    assert content == dict(
        view=['camera'], size=[40, 20], polygons={}, zones={}, ignored=dict(north=[CORNER])
    )
    with pytest.raises(DataError, match='cannot be drawn'):
        write_view(tmp_path / 'new.json', [], None, 'north', dict(zones=[]))
    with pytest.raises(DataError, match='more than 32768 pixels'):
        far = NONE | dict(zones=[[[0, 0], [9, 9], [1e6, 0]]])
        write_view(tmp_path / 'new.json', [], None, 'n', far)
    assert json.loads((tmp_path / 'new.json').read_text()) == content


def test_an_area_beside_the_picture_was_drawn_in_another(tmp_path):
    beyond = [[40, 0], [44, 0], [44, 4], [40, 4]]
    for kind in ('zones', 'ignored'):
        path = write(tmp_path, **{kind: dict(north=[CORNER, beyond])})
        assert zone_masks(path, 'north', 44, 20)[0].any()
        with pytest.raises(
            UserError, match=r"area of 'north' lies outside of a picture of 40 x 20"
        ):
            zone_masks(path, 'north', 40, 20)
        path = write(tmp_path, size=[80, 40], **{kind: dict(north=[beyond])})
        assert zone_masks(path, 'north', 40, 20)[0].any()


def test_ignored_areas_are_255_in_the_truth_of_metrics(tiny_dataset, tmp_path):
    root = tiny_dataset()
    areas = dict(ignored=dict(north=[CORNER], south=[]), zones=dict(south=[SQUARE]))
    write(root, size=[48, 36], **areas)
    pipeline = [dict(type=f'mmsmoke.{name}') for name in ('LoadImage', 'LoadMask')]
    settings = dict(split='test', test_mode=True, pipeline=pipeline)
    with DefaultScope.overwrite_default_scope('mmseg'):
        plain = WeakSegDataset(root, **settings)
        found = WeakSegDataset(root, ignored='{data_root}/zones.json', **settings)
    north = 0
    for before, after in zip(plain, found, strict=True):
        expected = before['gt_seg_map'].copy()
        if after['columns']['camera'] == 'north':
            expected[:5, :5] = 255
            north += 1
        assert after['gt_seg_map'].dtype == np.uint8
        assert np.array_equal(after['gt_seg_map'], expected)
    assert 0 < north < len(plain)
    with pytest.raises(DataError, match='ignored is for metrics'):
        WeakSegDataset(root, ignored='{data_root}/zones.json')
    with pytest.raises(UserError, match=r'none\.json not found'):
        WeakSegDataset(root, ignored='none.json', **settings)


def test_the_hash_of_the_truth_knows_of_ignored_areas(tiny_dataset):
    root = tiny_dataset()
    cfg = Config(dict(default_scope='mmseg'))
    dataset = dict(type='mmsmoke.WeakSegDataset', data_root=str(root), split='test', test_mode=True)
    hashes = [masks_hash(cfg, dataset)]
    for areas in ([CORNER], [CORNER, SQUARE]):
        path = write(root, ignored=dict(north=areas, south=[]))
        hashes.append(masks_hash(cfg, {**dataset, 'ignored': str(path)}))
    assert len({*hashes}) == 3 and masks_hash(cfg, dataset) == hashes[0]
