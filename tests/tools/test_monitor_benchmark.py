import json

import pytest
from browser import find_chromium
from PIL import Image

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


@pytest.mark.skipif(find_chromium() is None, reason='no Chromium')
def test_the_picture_of_the_documentation_is_small(tool, run_main, tmp_path):
    code, _, error = run_main(tool.main, '--screenshot', tmp_path / 'timeline.png')
    assert code == 0, error
    assert (tmp_path / 'timeline.png').stat().st_size < 200_000
    with Image.open(tmp_path / 'timeline.png') as page:
        assert page.size[0] <= tool.WINDOW[0] and page.size[1] >= 600
