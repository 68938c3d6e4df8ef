"""From masks to events: what counts, what is left out, and what is written."""

import io
import json
import math
import os
import threading
import time
from datetime import datetime
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from clips import frames_of, write_clip
from conftest import save
from monitoring import SETTINGS, SIZE, draw_folder, name_of, picture, predict, run, seconds, table
from tiny_trained import tiny_model, tiny_segmentor, trained

from mmsmoke.functional import find_events
from mmsmoke.inference import CameraMonitor, SmokeInferencer
from mmsmoke.inference.monitor.records import keep_within
from mmsmoke.utils import UserError


def test_a_folder_becomes_events(tmp_path):
    shares = [0, 0, 4, 8, 2, 1, 0, 0, 0, 5, 5, 0]
    said = run(dict(north=draw_folder(tmp_path / 'north', shares)), tmp_path / 'out', clip_frames=9)
    assert said == []
    first, second = rows = table(tmp_path / 'out/events.csv')
    assert [seconds(row['start']) for row in rows] == [120, 540]
    assert [seconds(row['end']) for row in rows] == [240, 600]
    assert seconds(first['peak_time']) == 180 and first['peak'] == '8.0'
    assert first['mean'] == str(round(14 / 3, 4)) and first['frames'] == '3'
    assert first['seconds'] == '120.0' and first['confidence'] == '0.75'
    assert first['id'] == 'north_20260301T090200000Z' and second['camera'] == 'north'
    white = (picture(8, 3).min(-1) == 255).nonzero()
    assert float(first['x']) == round(white[1].mean(), 1)
    assert float(first['y']) == round(white[0].mean(), 1)
    assert float(first['x_share']) == pytest.approx((white[1].mean() + 0.5) / SIZE[0], abs=1e-4)
    frames = [row for path in (tmp_path / 'out/frames').iterdir() for row in table(path)]
    assert [float(row['share']) for row in frames] == shares
    lines = (tmp_path / 'out/events.jsonl').read_text().splitlines()
    assert [json.loads(line)['frames'] for line in lines] == [3, 2]
    assert json.loads((tmp_path / 'out/open_events.json').read_text()) == []
    strip = cv2.imread(str(tmp_path / 'out' / first['strip']))
    assert strip.shape[1] > 4 * 192
    assert len(frames_of(tmp_path / 'out' / first['clip'])) == 2 + 3  # two from before
    page = (tmp_path / 'out/timeline.html').read_text()
    assert page.count('<svg') == 2 and first['id'] in page and 'src="data:image/jpeg' in page


def test_events_of_many_cameras_are_those_of_each(tmp_path):
    rng = np.random.default_rng(0)
    shares = {name: np.round(rng.uniform(0, 6, 40), 1).tolist() for name in ('a', 'b', 'c')}
    cameras = {name: draw_folder(tmp_path / name, one) for name, one in shares.items()}
    run(cameras, tmp_path / 'out', batch_size=7)
    rows = table(tmp_path / 'out/events.csv')
    for name, series in shares.items():
        expected = find_events(range(0, 2400, 60), series, 3, 1.5, 0, 120)
        mine = [row for row in rows if row['camera'] == name]
        assert [(seconds(row['start']), seconds(row['end'])) for row in mine] == [
            (one.start, one.end) for one in expected
        ]
        assert [float(row['mean']) for row in mine] == pytest.approx(
            [one.mean for one in expected], abs=1e-3
        )


def test_an_open_event_is_shown_until_it_is_final(tmp_path):
    folder = draw_folder(tmp_path / 'north', [0, 4, 4])
    monitor = CameraMonitor(predict, dict(north=folder), tmp_path / 'out', **SETTINGS)
    thread = threading.Thread(target=monitor.run)
    thread.start()

    def opened():
        path = tmp_path / 'out/open_events.json'
        return json.loads(path.read_text()) if path.exists() else []

    wait_for(lambda: [one['frames'] for one in opened()] == [2])
    assert not (tmp_path / 'out/events.csv').exists()
    draw_folder(folder, [0, 0, 0], first=3)
    wait_for(lambda: (tmp_path / 'out/events.csv').exists())
    assert len(table(tmp_path / 'out/events.csv')) == 1
    monitor.stop()
    thread.join(30)
    assert not thread.is_alive() and opened() == []


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize('model', [tiny_segmentor(), tiny_model(1)], ids=['segmentor', 'CAMs'])
def test_a_trained_model_is_asked(tmp_path, model):
    inferencer = SmokeInferencer(*trained(tmp_path, model))
    rng = np.random.default_rng(0)
    for k in range(3):
        small = rng.integers(0, 256, (4, 6, 3)).astype(np.uint8)
        pixels = cv2.resize(small, (48, 32), interpolation=cv2.INTER_CUBIC)
        save(tmp_path / 'north' / name_of(k), pixels)
    found = inferencer(tmp_path / 'north', show_progress=False)
    monitor = CameraMonitor(inferencer, dict(north=tmp_path / 'north'), tmp_path / 'out', low=1e-3)
    monitor.run(once=True)
    rows = table(next((tmp_path / 'out/frames').iterdir()))
    assert [float(row['share']) for row in rows] == pytest.approx(
        [one.shares['smoke'] for one in found], abs=1e-3
    )
    (event,) = table(tmp_path / 'out/events.csv')
    assert 0 < float(event['confidence']) <= 1
    with pytest.raises(UserError, match="the model knows no 'fire', but smoke"):
        CameraMonitor(inferencer, dict(north='x'), tmp_path / 'out', smoke='fire')


def test_what_is_oldest_goes_where_there_is_too_much(tmp_path):
    said = []
    for age, name in enumerate(
        ('events/c/new.jpg', 'events/c/old.mp4', 'events.csv', 'state.json')
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1000))
        os.utime(path, (1000 - age, 1000 - age))
    for day in ('2026-01-01', '2026-01-02'):
        (tmp_path / 'frames').mkdir(exist_ok=True)
        (tmp_path / f'frames/{day}.csv').write_bytes(bytes(1000))

    def left():
        return {path.name for path in tmp_path.rglob('*') if path.is_file()}

    keep_within(tmp_path, 6000, said.append)
    assert len(left()) == 6 and not said
    keep_within(tmp_path, 5500, said.append)
    assert len(left()) == 5 and 'old.mp4' not in left() and '1 of the oldest' in said[0]
    keep_within(tmp_path, 0, said.append)
    assert left() == {'events.csv', 'state.json', '2026-01-02.csv'}


def test_names_that_are_not_utf_8_are_kept(tmp_path):
    out = tmp_path / os.fsdecode(b'caf\xe9')
    assert run(dict(north=draw_folder(tmp_path / 'north', [0, 4, 0])), out, clip_frames=9) == []
    (row,) = table(out / 'events.csv')
    assert (out / row['strip']).is_file() and (out / row['clip']).is_file()


def test_the_classes_of_a_checkpoint_are_asked_for(tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor(3), ('steam', 'smoke'))
    assert CameraMonitor(weights, dict(a='x'), 'none', smoke='smoke').number == 2
    with pytest.raises(UserError, match="the model knows no 'fire', but steam, smoke"):
        CameraMonitor(weights, dict(a='x'), 'none', smoke='fire')


def test_what_is_written_is_not_taken_for_pictures(tmp_path):
    folder = draw_folder(tmp_path / 'north', [0])
    for out in (folder, folder / 'day/out', tmp_path / 'south/../north/out'):
        with pytest.raises(UserError, match='lies in the folder of camera north, so its strips'):
            CameraMonitor(predict, dict(south='x', north=folder), out)


def test_a_long_event_has_a_short_clip(tmp_path):
    folder = draw_folder(tmp_path / 'north', [0, *[4] * 60, 0, 0, 0], seconds=1)
    run({'cam.1': folder}, tmp_path / 'out', merge_seconds=1, clip_frames=8, before_frames=3)
    (row,) = table(tmp_path / 'out/events.csv')
    assert row['clip'] == f'events/cam.1/{row["id"]}.mp4' and row['id'].startswith('cam.1_2026')
    assert 8 <= len(frames_of(tmp_path / 'out' / row['clip'])) <= 16
    assert not list((tmp_path / 'out').glob('open/*/*'))


@pytest.mark.parametrize(
    ('cameras', 'settings', 'message'),
    [
        ({}, {}, 'no camera is named'),
        ({'a/b': 'x'}, {}, 'a camera is named by letters'),
        (dict(a='-', b='-'), {}, 'only one camera can be read from standard input'),
        (dict(a='x'), dict(high=1, low=2), 'low must not exceed high'),
        (dict(a='x'), dict(low=0), 'low must be above 0'),
        (dict(a='x'), dict(min_seconds=-1.0), 'min_seconds must not be negative'),
        (dict(a='x'), dict(max_gb=math.nan), 'max_gb must not be negative'),
        (dict(a='x'), dict(batch_size=0), 'batch_size must be at least 1'),
        (dict(a='x'), dict(webhook='ftp://x/y'), 'a webhook begins with http'),
        (dict(a='x'), dict(webhook='file:///etc/passwd'), 'a webhook begins with http'),
        (dict(a='x'), dict(command='say "'), 'this command cannot be read'),
    ],
)
def test_mistakes_are_named(tmp_path, cameras, settings, message):
    with pytest.raises(UserError, match=message):
        CameraMonitor(predict, cameras, tmp_path / 'out', **settings)
    assert not (tmp_path / 'out').exists()
    with pytest.raises(UserError, match='x not found'):
        CameraMonitor(predict, dict(a='x'), tmp_path / 'out').run()


def test_the_same_is_said_once_a_minute():
    said = []
    monitor = CameraMonitor(SimpleNamespace(), dict(a='x'), 'none', said.append)
    for text in ('one', 'one', 'two', 'one'):
        monitor.say(text)
    assert said == ['one', 'two']


def test_the_folder_is_bounded_but_events_stay(tmp_path):
    folder = draw_folder(tmp_path / 'north', [0, 4, 0, 0, 0, 5, 0])
    said = run(dict(north=folder), tmp_path / 'out', clip_frames=5, max_gb=0.0)
    assert any('has become too large: 4 of the oldest files are removed' in one for one in said)
    assert not [path for path in (tmp_path / 'out/events').rglob('*') if path.is_file()]
    assert len(table(tmp_path / 'out/events.csv')) == 2
    assert 'data:image/jpeg' in (tmp_path / 'out/timeline.html').read_text()


def test_a_video_is_watched_once(tmp_path):
    """Bright frames in the middle; codecs change pixels, so that the limit is low."""

    def looks(pictures):
        return [SimpleNamespace(mask=(one.min(-1) > 200).astype(np.uint8)) for one in pictures]

    dark, bright = (np.full((32, 48, 3), value, np.uint8) for value in (20, 250))
    noisy = [np.roll(dark + np.arange(48, dtype=np.uint8)[:, None], k, 1) for k in range(20)]
    for k in range(8, 13):
        noisy[k][:16] = bright[:16]
    path = write_clip(tmp_path / '2026-03-01_09-00-00.avi', noisy, 'MJPG', 2)
    cameras = dict(north=path)
    run(cameras, tmp_path / 'out', once=False, looks=looks, seconds=0.5)
    (row,) = table(tmp_path / 'out/events.csv')
    assert (seconds(row['start']), seconds(row['end'])) == (4, 6) and row['frames'] == '5'
    before = (tmp_path / 'out/events.csv').read_bytes()
    run(cameras, tmp_path / 'out', once=False, looks=looks, seconds=0.5)
    assert (tmp_path / 'out/events.csv').read_bytes() == before
    assert len(table(next((tmp_path / 'out/frames').iterdir()))) == 20
    other = path.rename(tmp_path / '2026-03-02_09-00-00.avi')
    run(dict(north=other), tmp_path / 'out', once=False, looks=looks, seconds=0.5)
    assert [row['frames'] for row in table(tmp_path / 'out/events.csv')] == ['5', '5']


def test_standard_input_is_watched_beside_a_folder(tmp_path, monkeypatch):
    data = b''.join(
        cv2.imencode('.png', picture(share, k))[1].tobytes() for k, share in enumerate([0, 5, 5, 0])
    )
    monkeypatch.setattr('sys.stdin', SimpleNamespace(buffer=io.BytesIO(data)))
    begun = time.time()
    run(dict(gate='-', north=draw_folder(tmp_path / 'north', [5])), tmp_path / 'out')
    rows = {row['camera']: row for row in table(tmp_path / 'out/events.csv')}
    assert {name: row['frames'] for name, row in rows.items()} == {'gate': '2', 'north': '1'}
    start = datetime.fromisoformat(rows['gate']['start']).timestamp()
    assert begun - 0.001 <= start <= time.time()
