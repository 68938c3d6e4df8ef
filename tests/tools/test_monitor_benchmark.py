import json

import pytest
from browser import find_chromium
from PIL import Image

from mmsmoke.inference import CameraMonitor

TOY = '--cameras', 1, '--frames', 125, '--size', 64, '--batch-size', 4


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/monitor.py')


def test_the_rate_is_measured_with_a_network_and_without(tool, run_main, tmp_path):
    out = tmp_path / 'rows.json'
    code, text, error = run_main(tool.main, *TOY, '--out', out)
    assert code == 0 and 'pictures a second' in text, error
    bare, tiny = json.loads(out.read_text())
    assert bare['model'].startswith('none') and tiny['model'].startswith('segmentor')
    assert bare['events'] == 1  # the second minute
    for row in (bare, tiny):
        assert row['pictures'] == 125 and row['pictures a second'] > 0
        assert row['peak memory, MB'] > 20


def test_a_folder_without_a_page_is_named(tool, run_main, tmp_path):
    code, _, error = run_main(tool.main, '--screenshot', tmp_path, tmp_path / 'page.png')
    assert code == 2 and 'timeline.html not found: name the folder of a monitor' in error


@pytest.mark.skipif(find_chromium() is None, reason='no Chromium')
def test_the_picture_of_a_page_shows_its_top(tool, run_main, tmp_path):
    masks = tool.draw_cameras(tmp_path / 'cameras', 1, 70, 64)
    CameraMonitor(tool.truth(masks), {'cam0': tmp_path / 'cameras/cam0'}, tmp_path).run(once=True)
    out = tmp_path / 'timeline.png'
    code, _, error = run_main(tool.main, '--screenshot', tmp_path, out)
    assert code == 0, error
    assert out.stat().st_size < 200_000
    with Image.open(out) as page:
        assert page.size[0] <= tool.WINDOW[0] and page.size[1] >= 600
