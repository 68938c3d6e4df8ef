"""Zones: where nothing is looked for, masks are empty, and shares are those of the rest."""

import json

import numpy as np
import pytest
from clips import SIZE, noise, write_clip
from tiny_trained import PIPELINE, tiny_model, tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer
from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.utils import UserError

LEFT = [[0, 0], [23, 0], [23, 35], [0, 35]]
CORNER = [[0, 0], [9, 0], [9, 5], [0, 5]]


def write(folder, **content):
    path = folder / 'zones.json'
    path.write_text(json.dumps(dict(view=[], polygons={}) | content))
    return path


def area(polygons_in=(), polygons_out=(), size=(48, 36)):
    """Rectangles alone, with their outlines."""
    width, height = size
    watched = np.full((height, width), not polygons_in)
    for polygons, value in ((polygons_in, True), (polygons_out, False)):
        for (left, top), _, (right, bottom), _ in polygons:
            watched[top : bottom + 1, left : right + 1] = value
    return watched


def check(found, plain, valid):
    assert np.array_equal(found.mask, np.where(valid, plain.mask, 0))
    assert found.mask.dtype == np.uint8
    for k, share in enumerate(found.shares.values()):
        assert share == pytest.approx(100 * (plain.mask[valid] == k + 1).mean())


@pytest.mark.parametrize('tile', [None, 24])
@pytest.mark.parametrize('model', [tiny_segmentor(), tiny_model(1)], ids=['segmentor', 'CAMs'])
def test_smoke_is_counted_within_zones_and_outside_of_ignored_areas(model, tile, tmp_path):
    cfg, weights = trained(tmp_path, model)
    path = write(tmp_path, size=[48, 36], zones={'': [LEFT]}, ignored={'': [CORNER]})
    images = [np.random.default_rng(0).integers(0, 256, (36, 48, 3)).astype(np.uint8)]
    (plain,) = SmokeInferencer(cfg, weights, tile=tile)(images, return_scores=True)
    (found,) = SmokeInferencer(cfg, weights, tile=tile, zones=path)(images, return_scores=True)
    check(found, plain, area([LEFT], [CORNER]))
    assert plain.mask[:6, :10].any() and found.shares != plain.shares
    assert np.array_equal(found.scores, plain.scores)


def test_views_are_those_of_the_data_set(tiny_dataset, tmp_path):
    root = tiny_dataset()
    cfg, weights = trained(tmp_path, tiny_segmentor())
    areas = dict(north=[LEFT]), dict(south=[CORNER])
    path = write(tmp_path, view=['camera'], size=[48, 36], zones=areas[0], ignored=areas[1])
    inferencer = SmokeInferencer(cfg, weights, zones=path)
    plain = SmokeInferencer(cfg, weights)(root / 'images')
    cameras = {row['image'][7:]: row['columns']['camera'] for row in rows_of(root)}
    assert len({*cameras.values()}) == 2
    found = inferencer(root / 'images', tmp_path / 'out')
    for one, other in zip(found, plain, strict=True):
        north = cameras[one.image] == 'north'
        valid = area([LEFT]) if north else area((), [CORNER])
        mask = read_mask(tmp_path / 'out/masks' / one.image)
        assert np.array_equal(mask, np.where(valid, other.mask, 0))
        assert one.shares['smoke'] == pytest.approx(100 * (other.mask[valid] == 1).mean())
    array = read_image(root / 'images/test_0.png')
    with pytest.raises(UserError, match=r"no view '' has been drawn, but \['north', 'south'\]"):
        inferencer(array)
    (root / 'images/new.png').write_bytes((root / 'images/test_0.png').read_bytes())
    with pytest.raises(UserError, match=r'new\.png has no row in .*labels\.csv, which tells views'):
        inferencer(root / 'images/new.png')


def rows_of(root):
    data = [WeakSegDataset(root, split=one, test_mode=True) for one in ('train', 'val', 'test')]
    return [dataset.get_data_info(i) for dataset in data for i in range(len(dataset))]


def test_windows_of_what_was_drawn_on_show_a_part_of_it(tiny_dataset, tmp_path):
    root = tiny_dataset()
    table = root / 'labels.csv'
    lines = table.read_text().splitlines()
    cells = ['x,y,side', *['24,0,24'] * (len(lines) - 1)]
    lines = [f'{line},{more}' for line, more in zip(lines, cells, strict=True)]
    table.write_text('\n'.join(lines) + '\n')
    cfg, weights = trained(tmp_path, tiny_segmentor())
    drawn = [[30, 0], [35, 0], [35, 23], [30, 23]]
    path = write(tmp_path, view=['camera'], ignored=dict(north=[drawn], south=[LEFT]))
    image = root / 'images/test_0.png'
    (plain,) = SmokeInferencer(cfg, weights)(image)
    (found,) = SmokeInferencer(cfg, weights, zones=path)(image)
    # twice as wide and one and a half times as high as where it was cut out
    check(found, plain, area((), [[[12, 0], [22, 0], [22, 34], [12, 34]]]))


@pytest.mark.parametrize('smoothing', [0, 0.5])
def test_videos_are_of_the_view_without_a_name(smoothing, tmp_path):
    clip = write_clip(tmp_path / 'videos/clip.avi', noise(3), 'MJPG', 10)
    cfg, weights = trained(tmp_path, tiny_segmentor())
    path = write(tmp_path, ignored={'': [CORNER]})
    plain = SmokeInferencer(cfg, weights).stream_video(clip, smoothing=smoothing)
    found = SmokeInferencer(cfg, weights, zones=path).stream_video(clip, smoothing=smoothing)
    for one, other in zip(found, plain, strict=True):
        check(one, other, area((), [CORNER], SIZE))


def test_zones_that_leave_nothing_are_named(tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor())
    image = np.zeros((36, 48, 3), np.uint8)
    far = [[60, 0], [70, 0], [70, 9], [60, 9]]
    whole = [[0, 0], [47, 0], [47, 35], [0, 35]]
    for content, message in (
        (dict(zones={'': [far]}), 'lies outside of a picture of 48 x 36: .*drawn in a larger one'),
        (dict(ignored={'': [far]}), "an area of '' lies outside"),
        (dict(ignored={'': [whole]}), r'array_0: .*zones\.json leaves nothing of the picture'),
    ):
        path = write(tmp_path, **content)
        with pytest.raises(UserError, match=message):
            SmokeInferencer(cfg, weights, zones=path)(image)
    path = write(tmp_path, size=[480, 360], zones={'': [far]})
    assert SmokeInferencer(cfg, weights, zones=path)(image)
    with pytest.raises(UserError, match=r'nowhere\.json not found'):
        SmokeInferencer(cfg, weights, zones=tmp_path / 'nowhere.json')


def test_a_config_whose_data_ignore_areas_needs_no_file_to_look_at_pictures(tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor())
    cfg.test_dataloader.dataset.update(ignored='{data_root}/zones.json', pipeline=PIPELINE)
    image = np.zeros((36, 48, 3), np.uint8)
    assert SmokeInferencer(cfg, weights)(image)[0].mask.shape == (36, 48)
