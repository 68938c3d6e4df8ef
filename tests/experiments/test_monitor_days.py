"""Ways to make events, on short drawn days, with a model that knows what it draws."""

import csv
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mmsmoke.datasets.smokestack.clip_writer import write_day
from mmsmoke.experiments.monitor_days import (
    CHANGES,
    WAYS,
    Days,
    events_of,
    kept_day,
    look_at_day,
    measure_ways,
    numbers_of,
    tries_of,
)
from mmsmoke.experiments.monitor_run import compare_run
from mmsmoke.inference import CameraMonitor
from mmsmoke.inference.monitor.records import iso
from mmsmoke.inference.monitor.settings import MonitorSettings
from mmsmoke.utils import DataError, UserError

DAYS = Days(size=32, hours=0.5, cameras=2, every=20.0)


def guess(pictures):
    """Call up to two rows of pixels smoke: those of equal pictures alike, of others anyhow."""
    masks = [np.zeros(one.shape[:2], np.uint8) for one in pictures]
    for mask, one in zip(masks, pictures, strict=True):
        mask[10 : 10 + max(0, zlib.crc32(one) % 7 - 4)] = 1
    return [SimpleNamespace(mask=mask) for mask in masks]


@pytest.fixture(scope='module')
def day():
    return look_at_day(guess, DAYS, 3)


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp('day')
    write_day(root, DAYS.size, DAYS.hours, DAYS.cameras, DAYS.every, seed=3, workers=1)
    return root


@pytest.fixture
def watched(drawn, tmp_path):
    """Function that lets a real monitor watch the drawn day; returns its folder."""

    def watch(**settings):
        cameras = {path.name: path for path in (drawn / 'images/test').iterdir()}
        CameraMonitor(guess, cameras, tmp_path / 'out', clip_frames=0, **settings).run(once=True)
        return tmp_path / 'out'

    return watch


@pytest.mark.parametrize(
    'settings',
    [
        dict(high=6.0, low=3.0, merge_seconds=40.0),
        dict(high=1.5, low=0.5, change=12.0, mean_frames=3, min_seconds=40.0, merge_seconds=0.0),
    ],
)
def test_what_is_kept_makes_the_events_of_a_monitor_that_watches_the_same_day(
    watched, day, settings
):
    out = watched(**settings)
    lines = [line.split(',') for line in (out / 'events.csv').read_text().splitlines()[1:]]
    for number, seen in enumerate(day):
        real = [line for line in lines if line[1] == f'camera_{number}']
        kept = events_of(seen, MonitorSettings(**settings))
        assert kept or number
        assert [(float(line[4]), float(line[5]), int(line[8])) for line in real] == [
            (event.end - event.start, round(event.peak, 4), event.frames) for event in kept
        ]
        start = iso(kept[0].start)[14:23]  # minutes and seconds, whatever the zone
        assert real[0][2][14:23] == start


def test_a_day_is_seen_once(tmp_path):
    days, looks = Days(size=32, hours=0.1, cameras=1, every=60.0), []

    def counted(pictures):
        looks.extend(pictures)
        return guess(pictures)

    first, again = (kept_day(counted, days, tmp_path, 'abc', 3) for _ in range(2))
    assert len(looks) == 6 == len(first[0]['times']) and first == again
    with pytest.raises(UserError, match=r'day_3\.json was seen otherwise; name another --work-dir'):
        kept_day(counted, days, tmp_path, 'abd', 3)


def camera(shares, true):
    times = [60.0 * k for k in range(len(shares))]
    return dict(times=times, true=true) | {str(change): shares for change in CHANGES}


FLICKER = camera([0, 0, 4, 0, 5, 4, 0, 0, 0, 0, 0, 4] + 12 * [0], [0, 0] + 4 * [1] + 18 * [0])


def test_each_frame_is_an_event_or_those_that_follow_each_other_are_one():
    frames = MonitorSettings(high=3, low=3, merge_seconds=0, gap_seconds=0)
    rows = MonitorSettings(high=3, low=3, merge_seconds=0)
    merged = MonitorSettings(high=3, low=3, merge_seconds=120)
    lasting = MonitorSettings(high=3, low=3, merge_seconds=120, min_seconds=60)
    found = [numbers_of([FLICKER], one) for one in (frames, rows, merged, lasting)]
    assert [one['found'] for one in found] == [4 * 60, 3 * 60, 2 * 60, 60]
    assert [one['false_alarms'] for one in found] == [60, 60, 60, 0]
    assert [one['f1'] for one in found] == [40, 50, pytest.approx(200 / 3), 100]


def test_settings_are_chosen_on_days_that_do_not_measure():
    weak, strong = (camera([0, share, share, 0], [0, 1, 1, 0]) for share in (0.5, 4.0))
    noisy = camera([3.0, 0, strong['0.0'][1], strong['0.0'][2], 0], [0, 0, 1, 1, 0])
    days = {1: [weak], 2: [strong], 9: [noisy]}
    ways = {'rows': dict(merge_seconds=(0.0,))}
    rows, defaults = measure_ways(days.get, [1, 2], [9], 60, ways)
    assert 3 < rows['settings']['high'] <= 4 and rows['val']['f1'] == 100
    assert [one['recall'] for one in rows['test']] == [0, 100]
    assert defaults['tries'] == 1 and defaults['settings'] == {}
    assert [one['recall'] for one in defaults['test']] == [0, 100]


def test_all_ways_may_try_equally_many_settings_that_a_monitor_takes():
    for way in WAYS.values():
        tries = tries_of(way, 50)
        assert len(tries) == 50 and len({*map(str, tries)}) == 50
        for settings in tries:
            assert settings.low <= settings.high
            assert all(
                getattr(settings, name) in choices for name, choices in way.items() if name != 'low'
            )


@pytest.mark.parametrize(
    ('seeds', 'val_seeds', 'tries', 'message'),
    [
        ([1, 2], [2], 5, 'seed 2 is named twice'),
        ([1], [], 5, 'name at least one seed'),
        ([1], [2], 0, 'tries must be at least 1, not 0'),
    ],
)
def test_what_cannot_be_measured_is_said(seeds, val_seeds, tries, message):
    with pytest.raises(UserError, match=message):
        measure_ways({}.get, seeds, val_seeds, tries)


def test_a_run_of_a_monitor_is_compared_with_what_there_was(watched, drawn, day):
    settings = dict(high=6.0, low=3.0, merge_seconds=40.0)
    out = watched(**settings)
    rows, events = compare_run(out, drawn)
    for row, seen in zip(rows, day, strict=True):
        wanted = numbers_of([seen], MonitorSettings(**settings))
        assert row['true events'] == wanted['events']
        assert row['events'] - row['false alarms'] == pytest.approx(
            wanted['precision'] * row['events'] / 100
        )
    assert len(events) == sum(row['events'] for row in rows)
    assert sum(one['smoke'] == 'no' for one in events) == sum(row['false alarms'] for row in rows)


def test_truth_may_be_written_in_words(tmp_path, watched, drawn):
    out, other = watched(high=6.0), tmp_path / 'other'
    other.mkdir()
    (other / 'images').symlink_to(drawn / 'images')
    with open(drawn / 'labels.csv', newline='') as file:
        rows = list(csv.DictReader(file))

    def written(words):
        with open(other / 'labels.csv', 'w', newline='') as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows({**row, 'frame_truth': words[row['frame_truth']]} for row in rows)
        return compare_run(out, other)

    assert written({'0': 'No', '1': 'yes'}) == compare_run(out, drawn)
    with pytest.raises(DataError, match="frame_truth must be 0 or 1, got 'perhaps'"):
        written({'0': 'perhaps', '1': '1'})


def test_a_run_that_cannot_be_compared_is_refused(tmp_path, watched, drawn):
    with pytest.raises(UserError, match=r'events\.csv not found'):
        compare_run(tmp_path, drawn)
    out = watched(high=6.0)
    (tmp_path / 'labels.csv').write_text('image,split,smoke,camera\nimages/a.png,test,1,north\n')
    (tmp_path / 'images').mkdir()
    Image.new('RGB', (32, 32)).save(tmp_path / 'images/a.png')
    with pytest.raises(DataError, match=r'images/a\.png has no time in its name'):
        compare_run(out, tmp_path)
    named = 'images/20240304T090000.png'
    (tmp_path / 'images/a.png').rename(tmp_path / named)
    (tmp_path / 'labels.csv').write_text(f'image,split,smoke,camera\n{named},test,1,north\n')
    with pytest.raises(UserError, match=r"knows no camera 'camera_0', but north"):
        compare_run(out, tmp_path)
