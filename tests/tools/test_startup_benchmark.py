import json

import pytest
from conftest import ROOT


@pytest.fixture
def tool(load_tool, monkeypatch):
    tool = load_tool('benchmarks/startup.py')
    monkeypatch.setattr(tool, 'tools_of', lambda tree: {'tools/train.py', 'tools/infer.py'})
    monkeypatch.setattr(tool, 'WEIGHTS', '')
    monkeypatch.setattr(tool, 'PICTURE', '')
    return tool


def test_both_checkouts_are_measured(tiny_dataset, tool, run_main, tmp_path):
    out = tmp_path / 'rows.json'
    options = '--repeats', 1, '--before', ROOT, '--out', out
    code, text, error = run_main(tool.main, tiny_dataset(), *options)
    assert code == 0, error
    result = json.loads(out.read_text())
    assert [row['what'] for row in result['helps']] == ['tools/infer.py', 'tools/train.py']
    (rows,) = result['tables']
    assert len(rows) == 3 and rows[0]['what'] == '--help, most of 2 tools'
    for row in (*rows, *result['helps']):
        assert list(row)[1:] == ['CPU s', 'CPU s before', 's', 's before', 'MB', 'MB before']
        assert row['MB'] > 5 and row['MB before'] < 700 and row['s before'] > 0
    assert rows[0]['MB'] == max(row['MB'] for row in result['helps'])
    assert '| SmokeInferencer, first picture |' in text


def test_mistakes_are_named(tiny_dataset, tool, run_main, monkeypatch):
    code, _, error = run_main(tool.main, tiny_dataset(), '--repeats', 0)
    assert code == 2 and '--repeats: must be at least 1, not 0' in error
    monkeypatch.setattr(tool, 'WEIGHTS', 'raise ValueError("no such network")')
    code, _, error = run_main(tool.main, tiny_dataset(), '--repeats', 1)
    assert code == 2 and error.strip().endswith('ValueError: no such network')


def test_benchmarks_are_no_tools_here(load_tool):
    tools = load_tool('benchmarks/startup.py').tools_of(ROOT)
    assert 'tools/train.py' in tools and 'tools/dataset_converters/rise.py' in tools
    assert not [tool for tool in tools if 'benchmarks' in tool]
