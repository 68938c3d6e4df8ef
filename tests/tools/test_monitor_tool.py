import csv
import json
import os
import signal
import threading
import time
import warnings

import cv2
import numpy as np
import pytest
from conftest import save
from tiny_trained import tiny_segmentor, trained


@pytest.fixture
def tool(load_tool):
    """The tool; what it does to this process is undone."""
    level, shown = cv2.utils.logging.getLogLevel(), warnings.formatwarning
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    yield load_tool('monitor.py')
    for kind, handler in before.items():
        signal.signal(kind, handler)
    cv2.utils.logging.setLogLevel(level)
    warnings.formatwarning = shown


@pytest.fixture
def model(tmp_path):
    return trained(tmp_path, tiny_segmentor())[1]


def draw(folder, count=3):
    rng = np.random.default_rng(0)
    for k in range(count):
        small = rng.integers(0, 256, (4, 6, 3)).astype(np.uint8)
        pixels = cv2.resize(small, (48, 32), interpolation=cv2.INTER_CUBIC)
        save(folder / f'2026-03-01_12-00-{k:02d}.png', pixels)
    return folder


def events(out):
    with open(out / 'events.csv', newline='') as file:
        return list(csv.DictReader(file))


def test_a_folder_is_watched(tool, run_main, model, tmp_path):
    folder, out = draw(tmp_path / 'north gate'), tmp_path / 'out'
    options = '--once', '--out', out, '--low', '0.01', '--high', '0.01'
    code, text, error = run_main(tool.main, model, folder, *options)
    assert code == 0, error
    assert f'1 events: {out / "events.csv"}' in text
    (event,) = events(out)
    assert event['camera'] == 'north_gate' and event['frames'] == '3'
    assert (out / 'timeline.html').is_file() and (out / event['clip']).is_file()


def test_cameras_and_settings_come_from_a_file_and_options_go_before_it(
    tool, run_main, model, tmp_path
):
    config = tmp_path / 'm.json'
    sources = {name: str(draw(tmp_path / 'all' / name)) for name in ('a', 'b')}
    config.write_text(json.dumps(dict(cameras=sources, high=1000, low=0.01, clip_frames=0)))
    run = '--config', config, '--once', '--out'
    code, text, error = run_main(tool.main, model, *run, tmp_path / 'none')
    assert code == 0 and '0 events' in text, error
    code, text, error = run_main(tool.main, model, *run, tmp_path / 'two', '--high', 0.01)
    assert code == 0 and '2 events' in text, error
    each = '--each-folder', '--once', '--high', 0.01, '--low', 0.01, '--clip-frames', 0, '--out'
    code, text, error = run_main(tool.main, model, tmp_path / 'all', *each, tmp_path / 'each')
    assert code == 0 and 'watching a, b' in text and '2 events' in text, error
    named = '--camera', f'x={sources["a"]}', '--once', '--out', tmp_path / 'named'
    code, text, error = run_main(tool.main, model, *named)
    assert code == 0 and 'watching x' in text, error


def test_mistakes_are_named(tool, run_main, tmp_path):
    (tmp_path / 'a').mkdir()
    config = tmp_path / 'm.json'

    def error_of(*args, **content):
        config.write_text(json.dumps(content))
        code, _, error = run_main(tool.main, 'none.pth', '--config', config, *args)
        assert code == 2 and error.startswith('error: ') and error.count('\n') == 1
        return error

    assert 'no camera is named' in error_of()
    assert 'name a SOURCE or --camera, not both' in error_of('x', '--camera', 'a=b')
    assert "say --camera NAME=SOURCE, not 'a'" in error_of('--camera', 'a')
    assert "two cameras are called 'a'" in error_of('--camera', 'a=b', '--camera', 'a=c')
    assert '--each-folder needs a SOURCE' in error_of('--each-folder')
    assert 'has no folders' in error_of('--each-folder', tmp_path / 'a')
    assert 'is no folder' in error_of('--each-folder', config)
    assert "unknown setting 'hihg'; there are high, low" in error_of('x', hihg=1)
    assert "high must be float, got '1'" in error_of('x', high='1')
    assert 'batch_size must be int, got True' in error_of('x', batch_size=True)
    assert 'cameras must be an object' in error_of(cameras=['x'])
    assert 'low must not exceed high' in error_of('x', '--low', 3, '--high', 2)
    config.write_text('[]')
    code, _, error = run_main(tool.main, 'none.pth', '--config', config)
    assert code == 2 and 'must hold an object' in error


def test_sigterm_ends_it_and_the_next_call_goes_on(tool, run_main, model, tmp_path):
    folder, out = draw(tmp_path / 'north'), tmp_path / 'out'
    options = '--out', out, '--low', '0.01', '--high', '0.01', '--clip-frames', 0
    gone = threading.Event()

    def interrupt():
        path = out / 'open_events.json'
        while not (path.exists() and '"frames": 3' in path.read_text()) and not gone.is_set():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code, text, error = run_main(tool.main, model, folder, *options)
    gone.set()
    thread.join()
    assert code == 0 and '0 events' in text and 'stopped' in error
    assert not (out / 'events.csv').exists() and (out / 'timeline.html').exists()
    draw(folder, 4)
    code, _, error = run_main(tool.main, model, folder, '--once', *options)
    assert code == 0 and [one['frames'] for one in events(out)] == ['4'], error
