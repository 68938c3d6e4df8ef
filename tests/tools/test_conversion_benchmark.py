import json

import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/conversion.py')


def test_one_row_for_each_number_of_processes(tiny_dataset, tool, run_main, tmp_path):
    out = tmp_path / 'rows.json'
    root = tiny_dataset(suffix='.jpg')
    code, text, error = run_main(tool.main, root, '--repeats', 1, '--out', out)
    assert code == 0, error
    rows = json.loads(out.read_text())
    assert [row['processes'] for row in rows] == [1, 2]
    assert {(row['images'], row['with smoke']) for row in rows} == {(14, 7)}
    assert rows[0]['ratio'] == 1 and all(row['images a second'] > 0 for row in rows)
    assert '14 photographs and 0 composites' in text


def test_mistakes_are_named(tiny_dataset, tool, run_main):
    code, _, error = run_main(tool.main, tiny_dataset(), '--workers', 0)
    assert code == 2 and '--workers: must be at least 1, not 0' in error
