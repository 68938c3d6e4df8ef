import importlib.util
import json

import pytest

needs_pydensecrf = pytest.mark.skipif(
    importlib.util.find_spec('pydensecrf') is None, reason='pydensecrf is not installed'
)


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/crf.py')


@needs_pydensecrf
def test_all_ways_are_timed_and_agree(tool, run_main, tiny_dataset, tmp_path):
    out = tmp_path / 'rows.json'
    toy = ('--sizes', 40, '--images', 2, '--workers', 2, '--repeats', 1, '--out', out)
    code, text, _ = run_main(tool.main, tiny_dataset(), *toy)
    assert code == 0 and 'torch on cpu, one batch' in text
    rows = json.loads(out.read_text())
    assert len(rows) == 6 and rows[0]['speed'] == 1
    for row in rows[:4]:
        assert float(row['masks alike, IoU']) > 0.98
        difference = float(row['against truth, IoU']) - float(rows[0]['against truth, IoU'])
        assert abs(difference) < 0.5
    assert float(rows[4]['masks alike, IoU']) < 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--images', '0'), 'must be at least 1'),
        (('--images', '99'), 'has 2 images with masks in val'),
    ],
)
def test_mistakes_are_named(tool, run_main, tiny_dataset, arguments, message):
    code, _, error = run_main(tool.main, tiny_dataset(), *arguments)
    assert code == 2 and message in error
