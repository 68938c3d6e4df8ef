"""What of a camera's pictures counts: zones, sizes, means, what moves, and what is frozen."""

import json
import time

import numpy as np
import pytest
from conftest import save
from monitoring import SIZE, draw_folder, name_of, picture, predict, run, seconds, table

from mmsmoke.functional import find_events
from mmsmoke.inference import CameraMonitor
from mmsmoke.inference.monitor.sources import Frame
from mmsmoke.inference.monitor.watch import Watch
from mmsmoke.utils import DataError, UserError


def zones_file(tmp_path, **content):
    path = tmp_path / 'zones.json'
    path.write_text(json.dumps(dict(view=['camera'], polygons={}) | content))
    return str(path)


def box(left, top, right, bottom):
    return [[[left, top], [right, top], [right, bottom], [left, bottom]]]


def test_shares_are_those_of_the_zone(tmp_path):
    """The upper half is watched but for its left quarter; there are 8 rows of white on top."""
    width, height = SIZE
    zones = zones_file(
        tmp_path, size=[2 * width, 2 * height],
        zones=dict(north=box(0, 0, 2 * width - 1, 2 * 12 - 1)),
        ignored=dict(north=box(0, 0, 2 * 10 - 1, 2 * height)),
    )  # fmt: skip
    pixels = picture(0)
    pixels[:8, :] = 255
    pixels[20:] = 255
    save(tmp_path / 'north' / name_of(0), pixels)
    run(dict(north=tmp_path / 'north'), tmp_path / 'out', zones=zones)
    (row,) = table(next((tmp_path / 'out/frames').iterdir()))
    assert float(row['share']) == pytest.approx(100 * 8 / 13, abs=6)  # outlines are rounded
    (event,) = table(tmp_path / 'out/events.csv')
    assert float(event['x']) > 20 and float(event['y']) == 3.5


def test_zones_that_do_not_fit_are_named(tmp_path):
    cameras = dict(north=draw_folder(tmp_path / 'north', [0]))
    zones = zones_file(tmp_path, zones=dict(south=box(0, 0, 9, 9)))
    with pytest.raises(UserError, match=r"no view 'north' has been drawn, but \['south'\]"):
        CameraMonitor(predict, cameras, tmp_path / 'out', zones=zones)
    outside = dict(zones=dict(north=box(100, 100, 120, 120)))
    with pytest.raises(UserError, match=r"an area of 'north' lies outside of a picture of"):
        CameraMonitor(
            predict, cameras, tmp_path / 'out', zones=zones_file(tmp_path, size=[60, 40], **outside)
        )
    with pytest.raises(UserError, match="area of 'north' lies outside of a picture of 40 x 25"):
        run(cameras, tmp_path / 'out', zones=zones_file(tmp_path, **outside))
    with pytest.raises(UserError, match=r'none.json not found'):
        CameraMonitor(predict, cameras, tmp_path / 'out', zones=str(tmp_path / 'none.json'))


def test_a_size_that_changes_is_said_and_survived(tmp_path):
    folder = draw_folder(tmp_path / 'north', [0, 4])
    for k, size in ((2, (80, 50)), (3, (12, 8)), (4, SIZE)):
        save(folder / name_of(60 * k), picture(4, k, size))
    zones = zones_file(tmp_path, zones=dict(north=box(14, 0, 39, 24)))
    said = run(dict(north=folder), tmp_path / 'out', zones=zones)
    assert 'north: pictures are 80 x 50 now' in said
    assert any('lies outside of a picture of 12 x 8' in line for line in said)
    assert len(table(next((tmp_path / 'out/frames').iterdir()))) == 4
    said = run(dict(north=folder), tmp_path / 'all')
    assert len(table(next((tmp_path / 'all/frames').iterdir()))) == 5


def test_the_mean_of_several_frames_decides(tmp_path):
    shares = [0, 0, 6, 0, 0, 4, 4, 4, 4, 0, 0, 0]
    folder = draw_folder(tmp_path / 'north', shares)
    run(dict(north=folder), tmp_path / 'one', merge_seconds=0)
    assert len(table(tmp_path / 'one/events.csv')) == 2
    run(dict(north=folder), tmp_path / 'mean', merge_seconds=0, mean_frames=3)
    (row,) = table(tmp_path / 'mean/events.csv')
    means = [np.mean(shares[max(0, k - 2) : k + 1]) for k in range(len(shares))]
    (event,) = find_events(range(0, 720, 60), means, 3, 1.5)
    assert (seconds(row['start']), seconds(row['end'])) == (event.start, event.end)
    raw = table(next((tmp_path / 'mean/frames').iterdir()))
    assert [float(one['share']) for one in raw] == shares


def test_what_does_not_move_may_be_left_out(tmp_path):
    """A white wall stands on the left, smoke comes and goes on the right."""
    rng = np.random.default_rng(0)
    for k in range(12):
        pixels = rng.integers(0, 20, (32, 48, 3)).astype(np.uint8)
        pixels[:16, :12] = 255
        if k in (6, 7):
            pixels[8:16, 30:36] = 255
        save(tmp_path / 'north' / name_of(60 * k), pixels)
    options = dict(merge_seconds=0, background_seconds=60)
    run(dict(north=tmp_path / 'north'), tmp_path / 'off', **options)
    (row,) = table(tmp_path / 'off/events.csv')
    assert row['frames'] == '12'
    run(dict(north=tmp_path / 'north'), tmp_path / 'on', change=40, **options)
    (row,) = table(tmp_path / 'on/events.csv')
    assert row['frames'] == '2' and float(row['x']) == pytest.approx(32.5)


def test_a_frozen_picture_is_said_and_does_not_count(tmp_path):
    folder = tmp_path / 'north'
    for k in range(12):
        save(folder / name_of(60 * k), picture(4 * (k < 10), min(k, 2)))
    settings = dict(frozen_seconds=120, gap_seconds=180, merge_seconds=0)
    said = run(dict(north=folder), tmp_path / 'out', **settings)
    assert said == ['north: the picture has not changed for 120 seconds',
                    'north: the picture changes again']  # fmt: skip
    (row,) = table(tmp_path / 'out/events.csv')
    assert seconds(row['end']) == 240  # two minutes after the last change
    assert len(table(next((tmp_path / 'out/frames').iterdir()))) < 12


def test_times_that_cannot_be_are_left_out():
    said = []
    watch = Watch('c', CameraMonitor(predict, dict(c='x'), 'none').settings, said.append)
    times = [100, 90, 100, time.time() + 10 * 86400, 101]
    taken = [watch.takes(Frame('c', when, picture(0, k), k)) for k, when in enumerate(times)]
    assert taken == [True, False, True, False, True] and watch.position == 4
    assert 'time goes back' in said[0] and 'of the future' in said[1]


def test_pictures_that_a_model_cannot_take_are_left_out(tmp_path):
    def looks(pictures):
        if any((one == 77).all() for one in pictures):
            raise DataError('too plain')
        return predict(pictures)

    folder = draw_folder(tmp_path / 'north', [0] * 5)
    save(folder / name_of(120), np.full((25, 40, 3), 77, np.uint8))
    said = run(dict(north=folder), tmp_path / 'out', looks=looks)
    assert said == ['north: too plain']
    assert len(table(next((tmp_path / 'out/frames').iterdir()))) == 4
