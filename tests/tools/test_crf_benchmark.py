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
    assert code == 0 and 'pydensecrf, 2 processes' in text
    rows = {row['dense CRF']: row for row in json.loads(out.read_text())}
    first = rows['pydensecrf, one process']
    assert first['speed'] == 1 and len(rows) == 6
    for name, row in rows.items():
        alike = float(row['masks alike, IoU'])
        if 'half' in name:
            assert alike < 1
        else:
            assert alike > 0.98
            difference = float(row['against truth, IoU']) - float(first['against truth, IoU'])
            assert abs(difference) < 0.5


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


def test_torch_is_not_measured_in_its_place(tool, run_main, tiny_dataset, without_pydensecrf):
    code, text, error = run_main(tool.main, tiny_dataset(), '--images', 1, '--sizes', 40)
    assert code == 2 and not text
    assert error.startswith('error: pydensecrf, which this measures, is not installed')
