import json

import pytest

from mmsmoke.experiments.halves import compare_halves
from mmsmoke.reports.tables import table_of
from mmsmoke.utils import UserError


def result_of(**classifiers):
    """Of pairs (none, walk), each a pair of IoUs on the split of thresholds and on test."""
    rows = {}
    for name, pairs in classifiers.items():
        for row, (chosen_on, tested) in zip(('none', 'walk'), pairs, strict=True):
            numbers = dict(on_threshold_split=chosen_on, dataset=tested)
            rows.setdefault(row, {})[name] = numbers
    return dict(refinement='plan.py', rows=rows, environment=dict(python='3'))


def three_seeds():
    return [
        result_of(
            good=((30, 30), (40, 25 - seed / 10)),  # which val does not show
            bad=((3, 2), (3, 6 + seed / 10)),
            middle=((9, 9), (9, 99)),
            poor=((5, 50), (5, 54)),  # bad where it counts, however good on test
            fine=((20, 20), (20, 15)),
        )
        for seed in range(3)
    ]


def cells(table):
    return [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.splitlines()]


def test_halves_are_formed_on_one_split_and_compared_on_the_other():
    found = compare_halves(three_seeds(), 'walk', 'none')
    of = {run['variant']: run for run in found['runs'] if run['seed'] == 0}
    assert of['worse half, none']['classifiers'] == dict(bad=2, poor=50)
    assert of['worse half, none']['splits'] == dict(
        threshold_split=dict(iou=4), test_split=dict(iou=26)
    )
    assert of['worse half, walk']['splits']['test_split']['iou'] == 30
    assert of['better half, none']['classifiers'] == dict(fine=20, good=30)
    assert found['environment'] == dict(python='3')
    assert of['better half, walk']['splits']['test_split']['iou'] == 20


def test_claims_are_about_the_gain_of_each_half(tmp_path, load_tool, run_main):
    paths = [tmp_path / f'{seed}.json' for seed in range(3)]
    for path, result in zip(paths, three_seeds(), strict=True):
        path.write_text(json.dumps(result))
    out = tmp_path / 'out.json'
    main = load_tool('analysis/compare_halves.py').main
    code, printed, _ = run_main(main, *paths, '--row', 'walk', '--out', out)
    claims = cells(table_of(out).split('\n\n')[1])[2:]
    assert [row[0] for row in claims] == ['walk helps the worse half', 'walk harms the better half']
    assert [row[2] for row in claims] == ['4.1 ± 0.1', '5.1 ± 0.1']
    assert [row[-1] for row in claims] == ['holds', 'holds']
    assert code == 0 and table_of(out) in printed


@pytest.mark.parametrize(
    'result, message',
    [
        (result_of(a=((1, 1), (1, 1))), 'needs two classifiers'),
        (dict(refinement='plan.py', rows=dict(none={})), "plan.py has no row 'walk'"),
    ],
)
def test_what_cannot_be_compared_is_said(result, message):
    with pytest.raises(UserError, match=message):
        compare_halves([result], 'walk', 'none')
