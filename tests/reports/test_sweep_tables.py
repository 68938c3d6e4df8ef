import json
import re

import pytest

from mmsmoke.reports.sweep_tables import (
    claims_table,
    mean_and_spread,
    shared_claims_table,
    sweep_chart,
    sweep_table,
)
from mmsmoke.utils import UserError
from mmsmoke.visualization import charted

COLUMNS = [['IoU', 'val', 'iou'], ['alarms', 'test', 'alarms']]


def runs_of(name, *ious, alarms=0.0, first_seed=0):
    return [
        dict(variant=name, seed=seed, splits=dict(val={'iou': iou}, test={'alarms': alarms}))
        for seed, iou in enumerate(ious, first_seed)
    ]


def cells(table):
    return [re.split(r'\s*\|\s*', line)[1:-1] for line in table.splitlines()]


def test_a_row_a_variant_in_order():
    runs = runs_of('one', 80.0, 82.0) + runs_of('two', 50.0, 50.0, alarms=3.0)
    rows = cells(sweep_table(dict(columns=COLUMNS, runs=runs)))
    assert rows[0] == ['variant', 'seeds', 'IoU', 'alarms']
    assert rows[2:] == [
        ['one', '2', '81.0 ± 1.4', '0.0 ± 0.0'],
        ['two', '2', '50.0 ± 0.0', '3.0 ± 0.0'],
    ]


def test_a_sweep_may_say_which_rows_it_shows():
    runs = runs_of('teacher', 80.0) + runs_of('student', 70.0)
    rows = cells(sweep_table(dict(columns=COLUMNS, runs=runs, rows=['student'])))
    assert [row[0] for row in rows[2:]] == ['student']


@pytest.mark.parametrize(
    'values, text', [([81.24], '81.2'), ([1.0, 2.0, 3.0], '2.0 ± 1.0'), ([80, None], '–')]
)
def test_mean_and_spread(values, text):
    assert mean_and_spread(values) == text


def test_one_seed_shows_the_interval_over_its_images():
    runs = runs_of('one', 80.0) + runs_of('two', 50.0, 52.0)
    for run in runs:
        run['splits']['val'] |= dict(iou_low=40.04, iou_high=90.0)
    rows = cells(sweep_table(dict(columns=COLUMNS, runs=runs)))
    assert [row[2] for row in rows[2:]] == ['80.0 (40.0 to 90.0)', '51.0 ± 1.4']


def test_differences_inside_the_noise_are_marked():
    runs = runs_of('plain', 10.0, 20.0, 30.0, 40.0)
    runs += runs_of('better', 15.0, 25.1, 35.0, 45.2)  # paired by seed, though the spread is large
    runs += runs_of('worse', 5.0, 15.1, 25.0, 35.2)
    runs += runs_of('noisy', 15.0, 14.0, 45.0, 35.0)
    runs += runs_of('same', 10.0, 20.0, 30.0, 40.0)
    runs += runs_of('once', 99.0)
    table = cells(sweep_table(dict(columns=COLUMNS, runs=runs, baseline='plain')))
    marks = {row[0]: row[2].split()[-1] for row in table[2:]}
    assert marks == dict(plain='12.9', better='▲', worse='▼', noisy='≈', same='≈', once='99.0')


def test_a_number_that_a_seed_lacks_is_no_difference():
    runs = runs_of('plain', 10.0, 20.0, 30.0) + runs_of('torn', 15.0, 25.1, None)
    table = cells(sweep_table(dict(columns=COLUMNS[:1], runs=runs, baseline='plain')))
    assert table[3][2] == '–'


def test_unknown_columns_are_named():
    runs = runs_of('a', 1.0) + runs_of('b', 2.0)
    with pytest.raises(UserError, match=r"no column 'accuracy', but \['IoU', 'alarms'\]"):
        claims_table(dict(columns=COLUMNS, runs=runs, claims=[claim('a', 'b', 'accuracy')]))


def test_a_chart_without_any_point_is_empty():
    curves = dict(x='P', lines={'net': {'0': 'unknown'}})
    assert sweep_chart(dict(columns=COLUMNS, runs=runs_of('a', 1.0), curves=curves), 'IoU') == ''


def test_many_comparisons_need_larger_differences():
    def mark(variants):
        runs = runs_of('plain', 10.0, 20.0, 30.0)
        for number in range(variants):
            runs += runs_of(f'v{number}', 15.0, 26.0, 34.0)
        return cells(sweep_table(dict(columns=COLUMNS[:1], runs=runs, baseline='plain')))[3][2]

    assert mark(1).endswith('▲') and mark(8).endswith('≈')


def claim(more, less, column='IoU'):
    return dict(claim=f'{more} over {less}', more=more, less=less, column=column)


def test_claims_are_judged():
    runs = runs_of('plain', 10.0, 20.0, 30.0) + runs_of('better', 15.0, 25.1, 35.2)
    runs += runs_of('noisy', 15.0, 14.0, 45.0)
    claims = [claim('better', 'plain'), claim('plain', 'better'), claim('noisy', 'plain')]
    claims += [claim('unknown', 'plain'), claim('once', 'plain')]
    runs += runs_of('once', 99.0)
    table = cells(claims_table(dict(columns=COLUMNS, runs=runs, claims=claims)))
    assert table[0] == ['claim', 'of', 'difference', 'seeds for it', 'p', 'verdict']
    assert [row[-1] for row in table[2:]] == [
        'holds', 'the opposite holds', 'within the noise', 'not measured yet',
        'too few seeds',
    ]  # fmt: skip
    assert table[2][2:4] == ['5.1 ± 0.1', '3 of 3']
    assert [row[3] for row in table[3:]] == ['0 of 3', '2 of 3', '–', '1 of 1']
    assert table[3][2] == '-5.1 ± 0.1'


def test_claims_of_several_settings_stand_beside_each_other():
    runs = runs_of('plain', 10.0, 20.0, 30.0) + runs_of('better', 15.0, 25.1, 35.2)
    both, alone = claim('better', 'plain'), claim('plain', 'better')
    first = dict(columns=COLUMNS, runs=runs, claims=[both])
    again = dict(columns=COLUMNS, runs=runs_of('plain', 1.0), claims=[both, alone])
    others = [run for run in runs if run['seed'] == 0]
    second = dict(columns=COLUMNS, runs=others, claims=[claim('other', 'plain'), both])
    empty = dict(columns=COLUMNS, runs=[], claims=[both])  # has nothing to say yet
    without = dict(columns=COLUMNS, runs=runs)
    drawn = [without, empty, first, again]
    table = cells(shared_claims_table({'drawn': drawn, 'photographs': [second]}))
    assert table[0] == ['claim', 'of', 'drawn', 'photographs']
    known = ['holds: 5.1 (4.9 to 5.3), 3 seeds', 'too few seeds: 5.0, 1 seed']
    assert table[2] == ['better over plain', 'IoU', *known]
    assert [row[0] for row in table[3:]] == ['plain over better', 'other over plain']
    assert {cell for row in table[3:] for cell in row[2:]} == {'not measured'}


@pytest.mark.parametrize(
    'ious, word',
    [
        ((11.0, 29.0, 31.0), 'tendency'),
        ((9.0, 11.0, 29.0), 'tendency to the opposite'),
        ((11.0, 29.0, 29.0), 'open'),
        ((5.0, 15.0, 25.1), 'the opposite holds'),
    ],
)
def test_noise_with_one_sign_is_a_tendency(ious, word):
    runs = runs_of('plain', 10.0, 20.0, 30.0) + runs_of('other', *ious)
    result = dict(columns=COLUMNS, runs=runs, claims=[claim('other', 'plain')])
    (row,) = cells(shared_claims_table(dict(here=[result])))[2:]
    assert row[2].startswith(f'{word}: ')


def test_claims_about_several_variants_are_about_their_mean():
    runs = runs_of('a1', 11.0, 12.0) + runs_of('a2', 31.0, 34.0)
    runs += runs_of('b1', 10.0, 10.0) + runs_of('b2', 30.0, 30.0)
    claims = [claim(['a1', 'a2'], ['b1', 'b2'])]
    table = cells(claims_table(dict(columns=COLUMNS, runs=runs, claims=claims)))
    assert table[2][2] == mean_and_spread([1.0, 3.0])


def test_only_seeds_that_all_have_are_compared():
    runs = runs_of('a', 5.0, 6.0, 7.0) + runs_of('b', 1.0, 1.0, first_seed=1)
    table = cells(claims_table(dict(columns=COLUMNS, runs=runs, claims=[claim('a', 'b')])))
    assert table[2][2:4] == [mean_and_spread([5.0, 6.0]), '2 of 2']


def test_chart_shows_means_over_x():
    runs = runs_of('net, 0', 10.0, 20.0) + runs_of('net, 0.5', 40.0, 40.0)
    runs += runs_of('other, 0.5', 30.0)
    curves = dict(
        x='P', lines={'net': {'0': 'net, 0', '0.5': 'net, 0.5'}, 'other': {'0.5': 'other, 0.5'},
                      'missing': {'0': 'missing'}}
    )  # fmt: skip
    chart = sweep_chart(dict(columns=COLUMNS, runs=runs, curves=curves), 'IoU')
    assert '>net</text>' in chart and '>other</text>' in chart and 'missing' not in chart
    title, numbers = charted(chart)
    expected = dict(net=[[0, 15, 7.0711], [0.5, 40, 0]], other=[[0.5, 30, 0]])
    assert title == 'IoU over P' and json.loads(numbers) == expected
    assert chart == sweep_chart(dict(columns=COLUMNS, runs=runs, curves=curves), 'IoU')


def test_two_seeds_are_no_verdict_though_they_agree():
    runs = runs_of('plain', 10.0, 20.0) + runs_of('better', 10.5, 20.5)
    result = dict(
        columns=COLUMNS[:1], runs=runs, baseline='plain', claims=[claim('better', 'plain')]
    )
    assert cells(claims_table(result))[2][-2:] == ['–', 'too few seeds']
    assert cells(sweep_table(result))[3][2] == '15.5 ± 7.1'
