import json

import pytest


@pytest.mark.parametrize(
    'way, trained_by, images',
    [
        ('crossarch', 'CrossArchDistiller', 16),
        ('seam', 'SEAM', 16),
        ('acr', 'ACRClassifier', 8),
        ('single', 'SingleStageSegmentor', 8),
        ('transcam', 'CAMClassifier', 16),
    ],
    ids=str,
)
def test_both_ways_learn_the_same_weights_and_are_timed(
    way, trained_by, images, load_tool, run_main, tmp_path
):
    tool = load_tool('benchmarks/distiller.py')
    chosen = ('--ways', way, '--pairs', 1, '--steps', 1)
    code, table, _ = run_main(tool.main, *chosen, '--out', tmp_path / 'a.json')
    assert code == 0 and 'ratio' in table
    (row,) = json.loads((tmp_path / 'a.json').read_text())
    assert row['ratio'] > 0 and row['images'] == images and row['trained by'] == trained_by


@pytest.mark.parametrize('way', ['crossarch', 'seam'])
def test_other_weights_are_noticed(way, load_tool, run_main, monkeypatch):
    tool = load_tool('benchmarks/distiller.py')
    other = tool.WAYS[way]._replace(loss=lambda model, inputs, _: model.student(inputs).sum())
    monkeypatch.setitem(tool.WAYS, way, other)
    code, _, error = run_main(tool.main, '--ways', way, '--pairs', 1, '--steps', 1)
    assert code == 2 and 'have learned different weights' in error


def test_bad_numbers_are_refused(load_tool, run_main):
    tool = load_tool('benchmarks/distiller.py')
    code, _, error = run_main(tool.main, '--steps', 0)
    assert code == 2 and '--steps: must be at least 1, not 0' in error
    code, _, error = run_main(tool.main, '--pairs', 3)
    assert code == 2 and '--pairs: invalid choice: 3' in error
    code, _, error = run_main(tool.main, '--ways', 'other')
    assert code == 2 and "--ways: invalid choice: 'other'" in error
