import copy
import json
import re
from pathlib import Path

import pytest

from mmsmoke.experiments.run_records import read_sweep
from mmsmoke.reports.benchmark import board_table, read_benchmark
from mmsmoke.reports.submissions import problems, read_row
from mmsmoke.reports.summary import ROWS
from mmsmoke.reports.tables import fill_tables
from mmsmoke.utils import UserError

ROOT = Path(__file__).parents[2]
DATA = dict(data_root='data/test', labels_sha256='abc')


def run(variant, seed, split, metric, value, **more):
    return dict(variant=variant, seed=seed, data=DATA, splits={split: {metric: value}}, **more)


@pytest.fixture
def root(tmp_path):
    """A checkout with a benchmark of two plans, whose runs are of two, one and no seeds."""
    columns = {
        'IoU': {'from': dict(classifier=['test', 'iou'], trivial=['test']), 'means': 'overlap'},
        'alarms': {'from': dict(segmentor=['test', 'alarms']), 'means': 'errors'},
        'precision': {'from': dict(segmentor=['masks', 'pseudo']), 'means': 'of masks'},
        'minutes': {'from': dict(cost=['all']), 'means': 'time', 'highest': 9e5},
    }
    rows = dict(
        all=dict(method='everything', learns_from='nothing', trivial='everything'),
        vit=dict(method='ViT', classifier='vit', segmentor='segmentor of vit'),
        piped=dict(method='as a pipeline', classifier='classify', segmentor='segment'),
        later=dict(method='later', classifier='nobody'),
    )
    board = dict(
        title='Scenes', data=DATA, protocol='Trained somehow.', columns=list(columns),
        plans={'sweep.py': 's.json', 'pipelines/p.py': 'p.json'}, trivial='t.json',
        costs='c.json', rows=rows,
    )  # fmt: skip
    sweep = dict(
        runs=[
            run('vit', 0, 'test', 'iou', 10.0),
            run('vit', 1, 'test', 'iou', 12.0),
            run('segmentor of vit', 0, 'test', 'alarms', 3.0),
        ]
    )
    tested = dict(DATA, seed=0, splits=dict(test=dict(iou=50.0, alarms=1.0)))
    labelled = dict(seed=0, split='train', metrics=dict(pseudo=70.0))
    drawn = dict(tested, data_root='data/drawn')
    chain = dict(seed=0, pretrain=drawn, classify=tested, label=labelled, segment=tested)
    files = {
        'docs/benchmark.json': dict(columns=columns, boards=dict(scenes=board)),
        's.json': sweep,
        'p.json': dict(pipeline='p.py', chains=[chain]),
        't.json': dict(DATA, tables=[[dict(map='everything', test=7.5)]]),
        'c.json': [dict(variant='vit', all=250.0, seeds=1)],
    }
    for name, content in files.items():
        write(tmp_path / name, content)
    return tmp_path


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def cells(table):
    lines = [re.split(r'\s*\|\s*', line)[1:-1] for line in table.splitlines()]
    return {row[0]: row[1:] for row in lines if row}


def test_a_row_comes_from_several_files(root):
    rows = cells(board_table(read_benchmark(root), 'scenes', {}, root))
    assert rows['row'][:3] == ['method', 'learns from', 'seeds']
    assert rows['all'] == ['everything', 'nothing', '–', '7.5', '', '', '']
    few = ['11.0 ± 1.4', '3.0 (1 seed)', '', '250.0 (1 seed)']
    assert rows['vit'] == ['ViT', 'labels', '2', *few]
    assert rows['piped'] == ['as a pipeline', 'labels', '1', '50.0', '1.0', '70.0', '']
    assert rows['later'] == ['later', 'labels', 'not measured yet', '', '', '', '']


def test_a_run_that_two_files_know_counts_once(root):
    write(root / 'p.json', dict(runs=[run('vit', 1, 'test', 'iou', 99.0)]))
    rows = cells(board_table(read_benchmark(root), 'scenes', {}, root))
    assert rows['vit'][2:4] == ['2', '11.0 ± 1.4']


def test_a_plan_without_a_result_leaves_its_rows_unmeasured(root):
    (root / 'p.json').unlink()
    rows = cells(board_table(read_benchmark(root), 'scenes', {}, root))
    assert rows['piped'][2:] == ['not measured yet', '', '', '', '']
    assert rows['vit'][2] == '2'


@pytest.mark.parametrize('file', ['s.json', 'p.json', 't.json'])
def test_numbers_of_other_data_are_refused(root, file):
    text = (root / file).read_text().replace('"abc"', '"abd"')
    (root / file).write_text(text)
    with pytest.raises(UserError, match=f'{file}: labels_sha256 .* is abd, of the benchmark abc'):
        board_table(read_benchmark(root), 'scenes', {}, root)


@pytest.fixture
def row():
    """A row for the benchmark of ``root``."""
    runs = [dict(seed=0, IoU=20.0, minutes=300), dict(seed=1, IoU=24.0, minutes=100)]
    return dict(
        method='Mine', benchmark='scenes', data=DATA, learns_from='labels', seeds=2, runs=runs,
        protocol=dict(threshold_mode='dataset', threshold_split='val'),
        environment=dict(torch='2'), command='python mine.py', link='https://example.org/x',
        licence='MIT',
    )  # fmt: skip


def test_a_checked_row_appears_in_the_table(root, row):
    write(root / 'docs/results/submissions/mine.json', row)
    text = (
        '<!-- benchmark scenes -->\nold\n<!-- end -->\n<!-- benchmark columns -->\n<!-- end -->\n'
    )
    filled = fill_tables(text.replace('columns', 'scenes'), root)
    assert 'Trained somehow.' in filled and 'SHA-256 `abc`' in filled and 'old' not in filled
    mine = cells(filled)['[mine](results/submissions/mine.json)']
    assert mine[:3] == ['[Mine](https://example.org/x)', 'labels', '2']
    assert mine[3:] == ['22.0 ± 2.8', '', '', '200.0 ± 141.4']
    assert fill_tables(filled, root) == filled


def test_what_columns_mean_is_a_table(root):
    benchmark = json.loads((root / 'docs/benchmark.json').read_text())
    for column in benchmark['columns'].values():
        column['best'] = 100
    write(root / 'docs/benchmark.json', benchmark)
    filled = fill_tables('<!-- benchmark columns -->\n<!-- end -->\n', root)
    assert cells('\n'.join(filled.splitlines()[1:-1]))['alarms'] == ['errors', '100']


def test_a_submitted_row_that_is_wrong_stops_the_table(root, row):
    write(root / 'docs/results/submissions/mine.json', row | dict(seeds=5))
    with pytest.raises(UserError, match=r'mine\.json: says 5 seeds, but has 2 runs'):
        fill_tables('<!-- benchmark scenes -->\n<!-- end -->\n', root)


@pytest.mark.parametrize(
    'changes, error',
    [
        (dict(licence=None), 'licence must be 1 to 80 printable characters'),
        *((dict(method=f'a{one}b'), 'method must be 1') for one in '|[]<>`\\\n\r\u2028\ud800'),
        *((dict(method=one), 'method must be 1 to 80') for one in ('', '  ', 81 * 'a')),
        (dict(link='javascript:x'), 'link must be an address'),
        *((dict(link=f'http://a{one}b'), 'link must be') for one in ' |()<>[]"\\\n\ud800'),
        (dict(command=' '), 'command must be what makes the numbers'),
        (dict(environment={}), 'environment must name versions'),
        (dict(benchmark='voc'), "benchmark 'voc' is none of scenes"),
        (dict(benchmark=['scenes']), 'is none of scenes'),
        (dict(data=dict(DATA, labels_sha256='x')), 'labels_sha256 is x, that of this benchmark a'),
        (dict(data=None), 'data: data_root is None, that of this benchmark data/test'),
        (
            dict(protocol=dict(threshold_mode='dataset', threshold_split='test')),
            "the threshold was chosen on 'test', but must be on 'val'",
        ),
        (dict(protocol=dict(threshold_mode='oracle')), "threshold_mode is 'oracle', but must be"),
        (dict(protocol='otsu'), 'threshold_mode is None'),
        (dict(runs=[]), 'runs must be a list of objects'),
        (dict(runs=[3, 4]), 'runs must be a list of objects'),
        (dict(seeds=3), 'says 3 seeds, but has 2 runs'),
        (dict(seeds=2.0), 'says 2.0 seeds, but has 2 runs'),
        (dict(surprise=1), 'has surprise, which no row has'),
    ],
)
def test_what_is_wrong_with_a_row_is_said(root, row, changes, error):
    found = list(problems(read_benchmark(root), row | changes))
    assert len(found) >= 1 and error in '; '.join(found)


@pytest.mark.parametrize(
    'runs, error',
    [
        ([dict(seed=0, IoU=101.0)], 'seed 0: IoU is 101.0, but must lie in 0..100'),
        ([dict(seed=0, IoU=-1)], 'seed 0: IoU is -1, but must lie in 0..100'),
        ([dict(seed=0, IoU=float('nan'))], 'IoU is nan, but'),
        ([dict(seed=0, minutes=float('inf'))], 'minutes is inf, but must lie in 0..900000'),
        ([dict(seed=0, minutes=10**400)], ', but must lie in 0..900000'),
        ([dict(seed=0, IoU='9')], "seed 0: IoU is '9', which is no number"),
        ([dict(seed=0, IoU=True)], 'IoU is True, which is no number'),
        ([dict(seed=0, F1=9)], "'F1' is none of the columns IoU, alarms, precision, minutes"),
        ([dict(seed=0)], 'no run has any number'),
        ([dict(seed=0, IoU=9), dict(seed=0, IoU=9)], 'another whole number as its seed, not [0, 0'),
        ([dict(seed='a', IoU=9)], "as its seed, not ['a']"),
        ([dict(seed=0, IoU=9), dict(seed=1, alarms=9)], 'seed 1: IoU is None, which is no number'),
    ],
)
def test_impossible_numbers_are_said(root, row, runs, error):
    found = list(problems(read_benchmark(root), row | dict(runs=runs, seeds=len(runs))))
    assert error in '; '.join(found)


def test_a_right_row_has_no_problems(root, row):
    assert not list(problems(read_benchmark(root), row))


def test_all_that_is_missing_is_named(root, row, tmp_path):
    short = {key: value for key, value in row.items() if key not in ('seeds', 'link')}
    write(tmp_path / 'row.json', short)
    with pytest.raises(UserError, match='says nothing about seeds, link'):
        read_row(read_benchmark(root), tmp_path / 'row.json')
    assert 'is no object' in next(problems(read_benchmark(root), [row]))


@pytest.mark.parametrize('name', ['a b.json', 'a|b.json', 'a](x).json', '.json', 'ä.json', 'a.txt'])
def test_a_file_whose_name_would_break_the_table_is_refused(root, row, tmp_path, name):
    write(tmp_path / name, row)
    with pytest.raises(UserError, match='its name must consist of letters, digits, - and _'):
        read_row(read_benchmark(root), tmp_path / name)


def test_the_example_in_the_documentation_is_a_row():
    text = (ROOT / 'docs/benchmark.md').read_text(encoding='utf-8')
    (example,) = re.findall(r'```json\n(.*?)```', text, re.DOTALL)
    row = json.loads(example)
    benchmark = read_benchmark(ROOT)
    assert not list(problems(benchmark, row))
    for key in row:
        assert f'`{key}`' in text.split('```json')[1]
        short = copy.deepcopy(row)
        del short[key]
        assert list(problems(benchmark, short)) == [f'says nothing about {key}']


def test_every_row_of_ours_has_plans_that_make_it():
    benchmark = read_benchmark(ROOT)
    for board in benchmark['boards'].values():
        assert set(board['columns']) <= set(benchmark['columns'])
        variants = set()
        for plan in board['plans']:
            if 'pipelines' in plan:
                variants |= {*ROWS, 'resegment-1'}
            else:
                variants |= set(read_sweep(ROOT / plan).variants)
        for row in board['rows'].values():
            parts = {row[part] for part in ('classifier', 'segmentor') if part in row}
            assert parts <= variants and (parts or 'trivial' in row)
