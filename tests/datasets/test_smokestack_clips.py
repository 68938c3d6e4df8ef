import csv
import math
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.checks.overview import check_dataset
from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.datasets.smokestack.clip_writer import FRAME_TRUTH, write_clips, write_day
from mmsmoke.datasets.smokestack.drawing.dice import Dice
from mmsmoke.datasets.smokestack.drawing.motion import (
    SHAKIEST,
    Emission,
    moved,
    sample_emission,
    sample_emissions,
    sample_motion,
)
from mmsmoke.datasets.smokestack.drawing.render import render
from mmsmoke.datasets.smokestack.scenes import Smokestack
from mmsmoke.utils import UserError

SIZE = 48
SMALL = dict(size=SIZE, clips=10, frames=5, every=3.0, workers=1)


def rows_of(root):
    with open(root / 'labels.csv', newline='') as file:
        return list(csv.DictReader(file))


def bytes_below(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp('clips') / 'drawn'
    write_clips(root, 'easy', **SMALL)
    return root


@pytest.fixture(scope='module')
def smoking():
    """A layout with smoke and how it moves."""
    source = Smokestack('easy', SIZE)
    index = next(i for i in range(9) if source.labels('train', i)['smoke'])
    layout = source.layout('train', index)
    return layout, replace(sample_motion(Dice(1), layout), shake=0.0)


def smoke_at(smoking, seconds, emission):
    layout, motion = smoking
    return render(moved(layout, motion, seconds, Dice(2), emission), 64)


# What moves, and what does not


def test_a_layout_at_rest_is_the_single_scene_itself(smoking):
    layout, motion = smoking
    found = moved(layout, motion, 0.0, Dice(2), Emission())
    still = replace(found, camera=layout.camera)
    single, first = render(layout, SIZE), render(still, SIZE)
    for name in ('image', 'smoke', 'context', 'opacity'):
        assert np.array_equal(getattr(single, name), getattr(first, name))


def test_nothing_but_sky_and_smoke_changes_when_the_camera_is_still(smoking):
    layout, motion = smoking
    at_rest = replace(layout, camera=replace(layout.camera, noise=0.0), fog=())
    bare = replace(at_rest, clouds=(), banks=())
    first, later = (
        render(moved(bare, motion, seconds, Dice(2), Emission()), SIZE) for seconds in (0, 5)
    )
    same = (first.image == later.image).all(-1)
    clear = (first.opacity == 0) & (later.opacity == 0)
    assert same[clear].all() and not same[~clear].all()
    cloudy = replace(at_rest, plumes=(), banks=(Smokestack().layout('train', 0).banks[0],))
    first, later = (render(moved(cloudy, motion, seconds, Dice(2)), SIZE) for seconds in (0, 20))
    ground = int(layout.ground.y * SIZE) + 1
    assert np.array_equal(first.image[ground:], later.image[ground:])
    assert not np.array_equal(first.image[:ground], later.image[:ground])


def test_noise_and_shake_are_new_in_each_frame_and_shake_is_small():
    frames = Smokestack(size=SIZE).clip('train', 0, 12, 2.0)
    shakes = np.array([frame.layout.camera.shake for frame in frames])
    assert len({frame.layout.camera.seed for frame in frames}) == 12
    assert len(np.unique(shakes)) == shakes.size
    assert 0 < np.abs(shakes).max() <= SHAKIEST


def test_a_whole_pixel_of_shake_moves_the_picture_by_a_pixel(smoking):
    layout, _ = smoking
    layout = replace(layout, camera=replace(layout.camera, noise=0.0, vignette=0.0))
    aside = replace(layout, camera=replace(layout.camera, shake=(1 / SIZE, -2 / SIZE)))
    straight, shaken = render(layout, SIZE), render(aside, SIZE)
    moved_back = shaken.image[2:, :-1].astype(int), straight.image[:-2, 1:].astype(int)
    assert np.abs(moved_back[0] - moved_back[1]).mean() < 0.1
    assert (shaken.smoke[2:, :-1] == straight.smoke[:-2, 1:]).mean() > 0.999
    assert (shaken.context[2:, :-1] == straight.context[:-2, 1:]).mean() > 0.999


def test_smoke_grows_from_its_source_and_dissolves(smoking):
    growing = [smoke_at(smoking, t, Emission(0.0)).smoke.sum() for t in (-1, 0, 2, 5, 60)]
    assert growing[0] == growing[1] == 0
    assert 0 < growing[2] < growing[3] < growing[4]
    fading = [smoke_at(smoking, t, Emission(end=0.0)).smoke.sum() for t in (0, 3, 11)]
    assert fading[0] > fading[1] and fading[2] == 0


def test_an_emission_that_never_ends_is_no_other_than_one_that_ends_much_later(smoking):
    endless = smoke_at(smoking, 5, Emission(0.0))
    assert np.array_equal(endless.image, smoke_at(smoking, 5, Emission(0.0, 500.0)).image)


def test_emissions_lie_within_their_time_in_order():
    for seed in range(60):
        one = sample_emission(Dice(seed), 20)
        assert math.isinf(one.begin) or 0 < one.begin < 20
        assert one.begin < one.end and (math.isinf(one.end) or one.end < 20)
        day = sample_emissions(Dice(seed), 86400)
        times = [time for one in day for time in (one.begin, one.end)]
        assert 3 <= len(day) <= 8 and times == sorted(times)
        assert times[0] > 0 and times[-1] < 86400


# Files


def test_a_clip_has_one_label_and_stays_in_one_split(drawn):
    rows = rows_of(drawn)
    assert [row['split'] for row in rows] == ['train'] * 30 + ['val'] * 10 + ['test'] * 10
    for _, group in groupby(rows, lambda row: row['clip']):
        clip = list(group)
        assert [row['frame'] for row in clip] == [*'01234']
        assert [float(row['time']) for row in clip] == [0, 3, 6, 9, 12]
        assert len({(row['smoke'], row['split']) for row in clip}) == 1
        assert max(row[FRAME_TRUTH] for row in clip) == clip[0]['smoke']
    smoke_frames = [row[FRAME_TRUTH] for row in rows if row['smoke'] == '1']
    assert {*smoke_frames} == {'0', '1'}, 'no smoke begins or ends'


def test_masks_say_what_the_column_says(drawn):
    for row in rows_of(drawn):
        name = row['image'].removeprefix('images/')
        mask, context = (read_mask(drawn / folder / name) for folder in ('masks', 'context'))
        assert mask.any() == (row[FRAME_TRUTH] == '1')
        assert mask.shape == context.shape == read_image(drawn / row['image']).shape[:2]
        assert not (mask & context).any()


def test_files_do_not_depend_on_the_number_of_processes(drawn, tmp_path):
    write_clips(tmp_path / 'again', 'easy', **{**SMALL, 'workers': 2})
    assert bytes_below(tmp_path / 'again') == bytes_below(drawn)


def test_clips_of_one_split_do_not_depend_on_how_many_there_are():
    first = Smokestack(size=SIZE).clip('val', 3, 4, 2.0)
    assert Smokestack(size=SIZE).clip('val', 3, 6, 2.0)[0].layout.sky == first[0].layout.sky
    assert Smokestack(size=SIZE).clip('val', 3, 4, 2.0) == first


def test_steam_never_stops(tmp_path):
    write_clips(tmp_path / 'steam', **SMALL, classes=('smoke', 'steam'))
    steaming = [row for row in rows_of(tmp_path / 'steam') if row['steam'] == '1']
    assert steaming
    for row in steaming:
        mask = read_mask(tmp_path / 'steam/masks' / row['image'].removeprefix('images/'))
        assert (mask == 2).any()


def test_a_dataset_reads_clips_and_never_their_truth_as_a_label(drawn):
    data = WeakSegDataset(str(drawn), split='train')
    rows = [data.get_data_info(index) for index in range(len(data))]
    assert [row['gt_score'] for row in rows] == [[float(row['columns']['smoke'])] for row in rows]
    assert not any('seg_map_path' in row for row in rows)


def test_the_label_of_a_clip_is_no_contradiction_to_the_mask_of_a_frame(drawn):
    assert check_dataset(drawn, ('smoke',)).problems == []


def test_a_day_has_smoke_now_and_then_and_labels_of_its_own(tmp_path):
    settings = dict(size=SIZE, hours=0.5, cameras=2, every=12.0, workers=1)
    write_day(tmp_path / 'day', **settings)
    rows = rows_of(tmp_path / 'day')
    assert len(rows) == 2 * 150
    for camera in ('camera_0', 'camera_1'):
        seen = [row for row in rows if row['camera'] == camera]
        assert [float(row['time']) for row in seen] == [12.0 * k for k in range(150)]
        runs = [truth for truth, _ in groupby(row[FRAME_TRUTH] for row in seen)]
        assert 1 <= runs.count('1') <= 8 and runs[0] == '0'
    for row in rows[::20]:
        mask = read_mask(tmp_path / 'day/masks' / row['image'].removeprefix('images/'))
        assert mask.any() == (row['smoke'] == '1') == (row[FRAME_TRUTH] == '1')


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(clips=4), 'clips must be at least 5, not 4'),
        (dict(frames=1), 'frames must be at least 2, not 1'),
        (dict(every=0.0), 'every must be above 0, not 0.0'),
        (dict(classes=('fire',)), 'classes must be smoke'),
    ],
)
def test_clips_that_cannot_be_are_refused(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        write_clips(tmp_path / 'x', **{**SMALL, **settings})


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(cameras=0), 'cameras must be at least 1, not 0'),
        (dict(hours=-1), 'choose between 1 and 100000'),
        (dict(every=0.001), '86400000 frames'),
        (dict(every=math.nan), 'every must be above 0, not nan'),
    ],
)
def test_a_day_that_cannot_be_is_refused(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        write_day(tmp_path / 'x', size=SIZE, workers=1, **settings)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--clips', '9', '--pairs', '3'], '--pairs is of no use for clips'),
        (['--day', '--frames', '3'], '--frames is of no use for days'),
        (['--every', '3'], '--every is of no use for single scenes'),
        (['--day', '--clips', '9'], 'choose --clips or --day'),
    ],
)
def test_options_that_would_do_nothing_are_errors(tmp_path, load_tool, run_main, options, message):
    main = load_tool('dataset_converters/smokestack.py').main
    code, _, error = run_main(main, tmp_path / 'x', *options)
    assert code == 2 and message in error
