import json

import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/pseudo_labels.py')


@pytest.fixture
def arguments(tiny_dataset):
    root = tiny_dataset(size=(64, 48), splits=dict(train=2, val=4))
    config = 'configs/cam/vit-xs_12e_smokestack-128.py'
    return [
        root,
        '--config',
        config,
        '--batch-size',
        2,
        '--images',
        3,
        '--workers',
        1,
        '--sizes',
        64,
        48,
    ]


def test_the_label_run_does_what_the_naive_loop_does(tool, run_main, arguments, tmp_path):
    out = tmp_path / 'tables.json'
    code, text, _ = run_main(tool.main, *arguments, '--out', out)
    assert code == 0
    rows, steps = json.loads(out.read_text())['tables']
    runs = ['CRF off', 'CRF', 'CRF, half resolution']
    named = [(row['size'], row['label run']) for row in rows]
    assert named == [(size, name) for size in (64, 48) for name in runs]
    assert all(row['images'] == 3 for row in rows)
    assert rows[0]['pixels alike, %'] == 100
    assert steps[0]['CRF'] == '' and '' not in (steps[1]['CRF'], steps[2]['CRF'])
    assert 'CRF, half resolution' in text


def test_results_that_differ_are_not_reported(tool, run_main, arguments, monkeypatch):
    monkeypatch.setattr(tool, 'POWER', 1)
    code, _, error = run_main(tool.main, *arguments)
    assert code == 2 and 'error: CRF: only' in error


def test_mistakes_are_named(tool, run_main, arguments):
    code, _, error = run_main(tool.main, *arguments, '--images', 0)
    assert code == 2 and 'must be at least 1' in error
