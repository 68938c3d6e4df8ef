import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from clips import noise, write_clip
from conftest import ROOT, save


@pytest.fixture
def tool(load_tool):
    return load_tool('label.py')


@pytest.fixture
def folder(tmp_path):
    for day in (1, 2, 3):
        for k in range(3):
            save(tmp_path / f'north/2026-03-0{day}_{k}.png', np.zeros((6, 8, 3), np.uint8))
    return tmp_path


@contextmanager
def start(*arguments, browser=None):
    """Start the tool, which Ctrl-C ends even where the tests ignore that, and end it."""
    options = [] if browser else ['--no-browser']
    with subprocess.Popen(
        [sys.executable, 'tools/label.py', *map(str, arguments), *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | (dict(BROWSER=str(browser)) if browser else {}),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def test_it_serves_until_it_is_interrupted(folder):
    with start(folder) as process:
        first = '9 pictures, 0 labelled (0 smoke); splits: '
        assert process.stdout.readline().startswith(first)
        address = re.match(r'(http://127\.0\.0\.1:\d+/[\w-]{32}/) ', process.stdout.readline())[1]
        body = b'{"labels": [1], "since": 0}'
        request = urllib.request.Request(
            f'{address}label/0', body, {'Content-Type': 'application/json'}
        )
        assert urllib.request.urlopen(request, timeout=10).status == 200
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (0, '')
    assert out.strip() == f'9 pictures, 1 labelled (1 smoke): {folder / "labels.csv"}'


def test_the_address_is_no_argument_of_the_browser(folder, tmp_path):
    browser, told = tmp_path / 'browse', tmp_path / 'told'
    browser.write_text(f'#!/bin/sh\necho "$@" > {told}.part\nmv {told}.part {told}\n')
    browser.chmod(0o700)
    with start(folder, browser=browser) as process:
        process.stdout.readline()
        address = process.stdout.readline().split()[0]
        while not told.exists() and process.poll() is None:
            time.sleep(0.01)
        path = Path(told.read_text().strip().removeprefix('file://'))
        assert address in path.read_text() and address.split('/')[-2] not in str(path)
        assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
        urllib.request.urlopen(f'{address}state', timeout=10)  # it serves by now
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0 and not path.parent.exists()


def test_it_loads_no_torch(folder, tmp_path):
    clip = write_clip(tmp_path / 'clip.avi', noise(6), 'MJPG', 5)
    code = (
        'import runpy, sys; sys.argv = sys.argv[1:]\n'
        'import mmsmoke.labelling.server as s\n'
        's.LabelServer.serve_forever = lambda self: print(sorted({"torch", "mmengine", "mmcv"} '
        '& {*sys.modules}))\n'
        'runpy.run_path(sys.argv[0], run_name="__main__")\n'
    )
    command = [sys.executable, '-c', code, 'tools/label.py', clip, '--every', '2', '--no-browser']
    environment = os.environ | dict(PYTHONPATH=str(ROOT))
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True
    )
    first, _, loaded = done.stdout.splitlines()
    assert first.startswith('3 pictures, 0 labelled') and loaded == '[]', done.stderr


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--every', 2], '--every is for a video'),
        (['--out', 'x'], '--out is for a video'),
        (['--group', 'zzz'], "'zzz' finds nothing in north/"),
        (['--port', 99999], 'port 99999 cannot be used'),
        (['--shares', 0, 0, 0], 'shares must be positive'),
        (['--proposals', 'nowhere'], 'folder nowhere not found'),
    ],
)
def test_mistakes_are_one_line(tool, run_main, folder, options, message):
    code, _, error = run_main(tool.main, folder, '--no-browser', *options)
    assert code == 2 and message in error and error.count('\n') == 1


def test_what_is_not_there_is_named(tool, run_main, tmp_path):
    code, _, error = run_main(tool.main, tmp_path / 'none')
    assert code == 2 and 'none not found' in error
    code, _, error = run_main(tool.main, tmp_path)
    assert code == 2 and 'no pictures in' in error


def test_splits_are_said(tool, folder):
    from mmsmoke.labelling.desk import Desk

    said = tool.splits_of(Desk(folder))
    assert sorted(said.split(', ')) == [f'{s} 3 in 1 group' for s in ('test', 'train', 'val')]
    assert tool.splits_of(Desk(folder, shares=dict(mine=1))) == 'mine 9 in 3 groups'
