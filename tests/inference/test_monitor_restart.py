"""A monitor that is killed loses and doubles nothing; a full disk does not end it."""

import csv
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import ROOT
from full_disk import files_up_to
from monitoring import draw_folder, predict, random_shares

from mmsmoke.inference import CameraMonitor
from mmsmoke.utils import DataError, UserError

SETTINGS = dict(high=3, low=1.5, merge_seconds=120, batch_size=3, clip_frames=4, utc=True)


def written(out):
    """All tables of a folder, by name."""
    names = [
        'events.csv',
        'events.jsonl',
        *sorted(f'frames/{p.name}' for p in out.glob('frames/*')),
    ]
    return {name: (out / name).read_text() for name in names}


def test_kill_9_at_20_moments_loses_and_doubles_nothing(tmp_path):
    more = dict(mean_frames=3, change=5, background_seconds=60)
    for seed, camera in enumerate(('north', 'south')):
        draw_folder(tmp_path / camera, random_shares(70, seed), first=seed)
    child = Path(__file__).with_name('monitoring.py')
    done = subprocess.run(
        [sys.executable, child, tmp_path, '20', '0', json.dumps(SETTINGS | more)],
        cwd=ROOT, env=os.environ | dict(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 20
    calm, killed = written(tmp_path / 'calm'), written(tmp_path / 'killed')
    assert calm == killed
    rows = list(csv.DictReader(calm['events.csv'].splitlines()))
    assert len(rows) >= 6 and len({row['id'] for row in rows}) == len(rows)
    assert [json.loads(line)['id'] for line in calm['events.jsonl'].splitlines()] == [
        row['id'] for row in rows
    ]
    assert sum(len(text.splitlines()) - 1 for name, text in calm.items() if 'frames' in name) == 140
    for row in rows:
        for kind in ('strip', 'clip'):
            assert (tmp_path / 'killed' / row[kind]).stat().st_size > 500
    assert not list((tmp_path / 'killed').rglob('.*.tmp*'))
    assert not list((tmp_path / 'killed').glob('open/*/*.jpg'))


def test_a_later_run_goes_on_where_an_earlier_one_stopped(tmp_path):
    folder, shares = tmp_path / 'north', random_shares(40, 2)
    calm = CameraMonitor(
        predict, dict(c=draw_folder(folder, shares)), tmp_path / 'calm', **SETTINGS
    )
    calm.run(once=True)
    for path in sorted(folder.iterdir())[25:]:
        path.rename(tmp_path / path.name)
    monitor = CameraMonitor(predict, dict(c=folder), tmp_path / 'two', **SETTINGS)
    monitor.run(once=True)
    for path in tmp_path.glob('*.png'):
        path.rename(folder / path.name)
    assert monitor.run(once=True) >= 0
    assert (
        written(tmp_path / 'two')['frames/2026-03-01.csv']
        == (written(tmp_path / 'calm')['frames/2026-03-01.csv'])
    )
    before = written(tmp_path / 'two')
    assert monitor.run(once=True) == 0 and written(tmp_path / 'two') == before


def without_media(out):
    """Rows of all tables; strips and clips may be missing."""
    rows = [
        row
        for name, text in written(out).items()
        if name.endswith('csv')
        for row in csv.DictReader(text.splitlines())
    ]
    for row in rows:
        row.pop('strip', None), row.pop('clip', None)
    return rows


def test_a_full_disk_is_said_and_survived(tmp_path):
    cameras = dict(north=draw_folder(tmp_path / 'north', random_shares(60, 3)))
    CameraMonitor(predict, cameras, tmp_path / 'calm', **SETTINGS).run(once=True)
    said, looked = [], []

    def looking(pictures):
        looked.extend(pictures)
        return predict(pictures)

    monitor = CameraMonitor(looking, cameras, tmp_path / 'out', said.append, **SETTINGS)
    with files_up_to(900):
        monitor.run(once=True)
    assert any('is the disk full?' in line for line in said) and len(looked) == 60
    CameraMonitor(predict, cameras, tmp_path / 'out', **SETTINGS).run(once=True)
    assert without_media(tmp_path / 'out') == without_media(tmp_path / 'calm')


def test_what_waits_for_a_full_disk_is_written_once_there_is_room(tmp_path):
    cameras = dict(north=draw_folder(tmp_path / 'north', random_shares(60, 3)))
    CameraMonitor(predict, cameras, tmp_path / 'calm', **SETTINGS).run(once=True)
    said, looked, full = [], [], ExitStack()

    def looking(pictures):
        looked.extend(pictures)
        if len(looked) == 21:
            full.enter_context(files_up_to(900))
        elif len(looked) == 48:
            full.close()
        return predict(pictures)

    with full:
        monitor = CameraMonitor(looking, cameras, tmp_path / 'out', said.append, **SETTINGS)
        monitor.run(once=True)
    assert any('is the disk full?' in line for line in said) and len(looked) == 60
    assert without_media(tmp_path / 'out') == without_media(tmp_path / 'calm')


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    cameras = dict(north=draw_folder(tmp_path / 'north', [0]))
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/events.csv').write_text('my own\n')
    with pytest.raises(UserError, match=r'has events.csv but no state.json'):
        CameraMonitor(predict, cameras, tmp_path / 'out').run(once=True)
    assert (tmp_path / 'out/events.csv').read_text() == 'my own\n'
    (tmp_path / 'out/state.json').write_text('{}')
    with pytest.raises(DataError, match='is no state of a monitor'):
        CameraMonitor(predict, cameras, tmp_path / 'out').run(once=True)
