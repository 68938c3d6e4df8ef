import json

import pytest

TOY = ('--grid', 9, '--log-t', 3)


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/random_walk.py')


def test_the_row_says_what_was_measured(tool, run_main, tmp_path):
    out = tmp_path / 'row.json'
    code, text, _ = run_main(tool.main, *TOY, '--radius', 2.5, '--classes', 2, '--out', out)
    assert code == 0
    (row,) = json.loads(out.read_text())
    assert (row['grid'], row['channels'], row['steps']) == ('9x9', 3, 8)
    assert row['ratio'] > 0 and float(row['largest difference']) <= 1e-4
    assert row['dense matrix, MB'] == pytest.approx(81**2 * 4 / 1e6, abs=0.01)
    assert '9x9' in text and 'ratio' in text


def test_ways_that_differ_are_not_timed(tool, run_main, monkeypatch):
    monkeypatch.setattr(tool, 'random_walk', lambda scores, affinity, **_: scores)
    code, text, error = run_main(tool.main, *TOY)
    assert code == 2 and not text
    assert 'the two ways differ by' in error


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('--grid', 0, '--grid: must be at least 1, not 0'),
        ('--classes', 0, '--classes: must be at least 1, not 0'),
        ('--repeats', 0, '--repeats: must be at least 1, not 0'),
        ('--radius', 1, 'radius must be above 1, log-t not negative'),
        ('--log-t', -1, 'radius must be above 1, log-t not negative'),
    ],
)
def test_mistakes_are_named(tool, run_main, name, value, message):
    code, _, error = run_main(tool.main, name, value)
    assert code == 2 and message in error
