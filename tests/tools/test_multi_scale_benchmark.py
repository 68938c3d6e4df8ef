import json

import pytest

TOY = ('--size', 64, '--images', 2, '--repeats', 1)


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/multi_scale.py')


def test_table_has_a_row_for_each_network_and_recipe(tool, run_main, tmp_path):
    out = tmp_path / 'rows.json'
    code, text, _ = run_main(tool.main, *TOY, '--out', out)
    assert code == 0
    rows = json.loads(out.read_text())
    assert [(row['network'], row['recipe']) for row in rows] == [
        (network, recipe) for network in ('ResNet-18', 'DeiT-tiny') for recipe in ('thesis', 'irn')
    ]
    for row in rows:
        assert row['size'] == 64 and row['images'] == 2
        assert float(row['largest difference']) <= 1e-4
    assert 'one by one, ms an image' in text and text.count('| irn') == 2


def test_results_that_differ_are_not_timed(tool, run_main, monkeypatch):
    monkeypatch.setattr(tool, 'SCALES', (0.5, 1, 1.5))
    code, text, error = run_main(tool.main, *TOY)
    assert code == 2 and not text
    assert 'ResNet-18, thesis: maps differ by' in error


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--size', '100'], '--size: must be a multiple of 32'),
        (['--size', '32'], 'from 64 on, not 32'),
        (['--images', '0'], 'at least 1'),
        (['--repeats', '0'], 'at least 1'),
    ],
)
def test_mistakes_are_named(tool, run_main, arguments, message):
    code, _, error = run_main(tool.main, *arguments)
    assert code == 2 and message in error
