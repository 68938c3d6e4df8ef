import json

import pytest
from browser import find_chromium
from PIL import Image

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium: apt-get install chromium runs these tests'
)


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/labelling.py')


def test_the_rate_of_the_page_is_measured(tool, run_main, tmp_path):
    out = tmp_path / 'rate.json'
    options = '--pictures', 4, '--size', 48, '--out', out
    code, text, error = run_main(tool.main, *options)
    assert code == 0 and 'pictures a minute' in text, error
    (row,) = json.loads(out.read_text())
    assert list(row) == ['pictures', 'size', 'seconds', 'pictures a minute']
    assert (row['pictures'], row['size']) == (4, 48) and row['pictures a minute'] > 0
    code, _, error = run_main(tool.main, '--pictures', 0)
    assert code == 2 and 'pictures must be at least 1' in error


def test_the_pictures_of_the_documentation_are_small(tool, run_main, tmp_path):
    code, _, error = run_main(tool.main, '--screenshots', tmp_path)
    assert code == 0, error
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ['label_masks.png', 'label_page.png', 'label_zones.png']
    for name in names:
        assert (tmp_path / name).stat().st_size < 200_000
        with Image.open(tmp_path / name) as page:
            assert page.size == tool.WINDOW
