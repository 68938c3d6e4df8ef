"""Costs of variants are added up over the steps that they need."""

import subprocess
import sys
import textwrap

import pytest

from mmsmoke.experiments.cost import COST, cost_rows
from mmsmoke.experiments.process import run_call, write_call
from mmsmoke.experiments.step import Step
from mmsmoke.experiments.sweep import sweep_steps
from mmsmoke.utils import UserError, read_json, write_json

SWEEP = """
config = {config!r}
work_dir = {folder!r}
seeds = [0, 1]
variants = dict(
    plain=dict(),
    student={{'model.teacher': '{{best:plain}}'}},
    moved={{'plumes': '{{scores:plain}}', 'model.teacher': '{{best:plain}}'}},
    again=dict(trained_as='plain', x=1),
)
splits = ['val']
threshold_split = 'val'
columns = []
"""


def step(name, kind='train', **inputs):
    return Step(name, kind, lambda found: {}, inputs)


@pytest.fixture
def folder(tmp_path):
    def spend(**minutes):
        for name, count in minutes.items():
            write_json(tmp_path / name / COST, dict(cpu_seconds=60 * count))

    spend(cnn=3, maps=2, vit=5, cured=7)
    return tmp_path


def test_each_step_counts_once(folder):
    cnn, vit = step('cnn'), step('vit')
    maps = step('maps', 'label', model=cnn)
    cured = step('cured', maps=maps, teacher=cnn)
    assert cost_rows(dict(vit=[vit], cured=[cured]), folder, 'vit') == [
        {'variant': 'vit', 'its own step': 5, 'with all before it': 5, 'times vit': 1, 'seeds': 1},
        {
            'variant': 'cured',
            'its own step': 7,
            'with all before it': 12,
            'times vit': 2.4,
            'seeds': 1,
        },
    ]


def test_seeds_are_averaged(folder):
    (row,) = cost_rows(dict(vit=[step('vit'), step('cnn')]), folder, 'vit')
    assert row['with all before it'] == 4 and row['seeds'] == 2


@pytest.mark.parametrize(
    'baseline, message', [('nobody', 'no variant nobody; there are vit'), ('vit', 'not done here')]
)
def test_what_is_not_there_is_named(folder, baseline, message):
    steps = dict(vit=[step('vit', model=step('elsewhere'))])
    with pytest.raises(UserError, match=message):
        cost_rows(steps, folder, baseline)


def test_tries_add_up(tmp_path):
    code = f"""
    from pathlib import Path
    from mmsmoke.experiments.cost import note_cost
    sum(range(20_000_000))
    note_cost(Path({str(tmp_path)!r}))
    """
    seconds = []
    for _ in range(2):
        subprocess.run([sys.executable, '-c', textwrap.dedent(code)], check=True)
        seconds.append(read_json(tmp_path / COST)['cpu_seconds'])
    assert 0.1 < seconds[0] < seconds[1]


def test_the_process_of_a_step_notes_its_cost_even_if_it_fails(tmp_path):
    write_call(tmp_path, 'search', dict(config='nowhere.py', checkpoint='x', split='val'))
    with pytest.raises(UserError, match='search failed'):
        run_call(tmp_path)
    assert read_json(tmp_path / COST)['cpu_seconds'] > 0


def test_the_steps_of_a_sweep_are_those_that_it_would_do(tmp_path):
    (tmp_path / 'config.py').write_text('model = dict(teacher=None)\nplumes = None\n')
    path = tmp_path / 'sweep.py'
    path.write_text(SWEEP.format(config=str(tmp_path / 'config.py'), folder=str(tmp_path / 'runs')))
    folder, steps = sweep_steps(str(path), variants=['moved', 'again'])
    assert list(steps) == ['moved', 'again'] and len(steps['moved']) == 2
    for name, minutes in {
        'plain/seed-0': 4,
        'plain/seed-0/labels': 1,
        'plain/seed-0/labels/threshold': 1,
        'moved/seed-0': 6,
    }.items():
        write_json(folder / name / COST, dict(cpu_seconds=60 * minutes))
    folder, steps = sweep_steps(str(path), variants=['moved', 'again'], seeds=[0])
    moved, again = cost_rows(steps, folder, 'again')
    assert moved['with all before it'] == 12 and moved['its own step'] == 6
    assert again['with all before it'] == 4 and moved['times again'] == 3
