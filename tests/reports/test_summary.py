import pytest

from mmsmoke.reports.curves import threshold_charts, training_charts, training_log
from mmsmoke.reports.report_examples import choose_examples, outcome_of
from mmsmoke.reports.summary import summary_rows
from mmsmoke.utils import write_json


def chain(seed, cam=40.0, seg=50.0, **others):
    return dict(
        seed=seed,
        classify=dict(
            splits=dict(val={'label/accuracy': 90.0, 'cam/image_iou': cam}, test={}), seed=seed
        ),
        label=dict(split='train', metrics={'pseudo/image_iou': 30.0}, curves={}, seed=seed),
        segment=dict(
            splits=dict(val={'seg/image_iou': seg, 'seg/false_images': 10.0}, test={}), seed=seed
        ),
        **{name: dict(seed=seed, **stage) for name, stage in others.items()},
    )


def test_a_row_a_number_and_a_column_a_split():
    header, rows = summary_rows(dict(chains=[chain(0)]))
    assert header == ['%', 'seeds', 'train', 'val']
    assert rows == [
        ['classifier: accuracy', 1, '', '90.0'],
        ['CAM: foreground IoU', 1, '', '40.0'],
        ['pseudo masks: foreground IoU', 1, '30.0', ''],
        ['segmentor: foreground IoU', 1, '', '50.0'],
        ['segmentor: false alarms', 1, '', '10.0'],
    ]


def test_mean_and_spread_over_the_seeds():
    _, rows = summary_rows(dict(chains=[chain(0, seg=50.0), chain(1, seg=54.0)]))
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name['segmentor: foreground IoU'] == [2, '', '52.0 ± 2.8']


def test_a_stage_that_chains_share_is_one_run():
    first, second = chain(0, cam=40.0, seg=50.0), chain(1, seg=54.0)
    second['classify'] = first['classify']
    rows = {row[0]: row[1:] for row in summary_rows(dict(chains=[first, second]))[1]}
    assert rows['CAM: foreground IoU'] == [1, '', '40.0']
    assert rows['segmentor: foreground IoU'] == [2, '', '52.0 ± 2.8']


def test_a_number_that_one_seed_lacks_is_left_out():
    lacking = chain(1)
    del lacking['segment']['splits']['val']['seg/image_iou']
    _, rows = summary_rows(dict(chains=[chain(0), lacking]))
    assert 'segmentor: foreground IoU' not in [row[0] for row in rows]


def test_rounds_of_self_training_are_numbered_and_the_upper_bound_is_named():
    more = {
        'relabel-1': dict(split='train', metrics={'pseudo/image_iou': 35.0}),
        'resegment-1': dict(splits=dict(test={'seg/image_iou': 55.0})),
        'full': dict(splits=dict(test={'seg/image_iou': 70.0})),
    }
    header, rows = summary_rows(dict(chains=[chain(0, **more)]))
    assert rows[-3:] == [
        ['round 1, masks: foreground IoU', 1, '35.0', '', ''],
        ['round 1, segmentor: foreground IoU', 1, '', '', '55.0'],
        ['full supervision: foreground IoU', 1, '', '', '70.0'],
    ]
    assert header == ['%', 'seeds', 'train', 'val', 'test']


def images(ious, clear=()):
    found = {f's{i}': dict(iou=iou, predicted=5.0, true=10.0) for i, iou in enumerate(ious)}
    return found | {f'c{i}': dict(predicted=p, true=0.0) for i, p in enumerate(clear)}


def test_best_median_worst_and_false_alarms():
    chosen = choose_examples(
        images([50, 10, 90, 30, 70, 0, 60], [0.0, 3.0, 0.05, 8.0, 0.0]), most=1
    )
    assert chosen == {
        's2': 'best', 's0': 'median', 's5': 'worst', 'c3': 'false alarm', 'c0': 'clear',
    }  # fmt: skip


def test_a_tiny_plume_is_no_clear_image():
    tiny = {'a': dict(iou=20.0, predicted=0.0004, true=0.0002)}
    assert choose_examples(tiny) == {'a': 'best'} and outcome_of(tiny['a']) == 'found in part'


def test_no_image_is_shown_twice_and_none_is_needed():
    assert len(choose_examples(images([50, 10]), most=3)) == 2
    assert choose_examples({}) == {}


@pytest.mark.parametrize(
    ('numbers', 'outcome'),
    [
        (None, 'truth not known'),
        (dict(iou=50.0, predicted=9.0, true=9.0), 'found'),
        (dict(iou=49.9, predicted=9.0, true=9.0), 'found in part'),
        (dict(iou=0.0, predicted=0.0, true=9.0), 'missed'),
        (dict(predicted=0.2, true=0.0), 'false alarm'),
        (dict(predicted=0.1, true=0.0), 'rightly clear'),
    ],
)
def test_what_became_of_an_image(numbers, outcome):
    assert outcome_of(numbers) == outcome


@pytest.fixture
def trained(tmp_path):
    """The log of a training that was stopped in its second epoch and went on from its first."""
    entries = dict(
        first=[
            '{"loss": 0.9, "epoch": 1, "step": 1}', '{"loss": 0.7, "epoch": 1, "step": 2}',
            '{"cam/image_iou": 20.0, "label/accuracy": 80.0, "step": 1}',
            '{"loss": 5.0, "epoch": 2, "step": 3}',
        ],
        second=[
            '{"loss": 0.5, "epoch": 2, "step": 3}', '{"loss": 0.3, "epoch": 2, "step": 4}',
            '{"cam/image_iou": 30.0, "label/accuracy": 90.0, "step": 2}',
        ],
    )  # fmt: skip
    for name, lines in entries.items():
        file = tmp_path / name / 'vis_data/scalars.json'
        file.parent.mkdir(parents=True)
        file.write_text('\n'.join(lines) + '\n')
    write_json(
        tmp_path / 'details.json', dict(val=dict(cam=dict(curves=dict(image_iou=[7] * 101))))
    )
    return dict(
        config=dict(path=str(tmp_path / 'config.py')),
        checkpoint=dict(path=str(tmp_path / 'best.pth')),
        splits={},
        seed=0,
    )


def test_a_training_that_went_on_is_one_curve(trained, tmp_path):
    loss, validated = training_log(tmp_path)
    assert loss == pytest.approx({1: 0.8, 2: 0.4})
    assert validated == {1: 20.0, 2: 30.0}


def test_what_is_no_number_is_left_out(tmp_path):
    lines = ['{"loss": NaN, "epoch": 1, "step": 1}', '{"loss": 0.5, "epoch": 1, "step": 2}']
    lines += ['{"loss": Infinity, "epoch": 2, "step": 3}', '{"loss": 0.25, "step": 40}']
    file = tmp_path / 'a/vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join([*lines, '{"loss": 0.1, "st']))  # killed while it wrote
    # a training by iteration has no epochs
    assert training_log(tmp_path)[0] == {1: 0.5, 40: 0.25}


def test_equal_splits_count_once(trained, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    curves = dict(image_iou=[17] * 101)
    write_json(other / 'details.json', dict(val=dict(cam=dict(curves=curves))))
    label = dict(split='train', metrics={}, curves={}, seed=0)
    classify = dict(trained, config=dict(path=str(other / 'c.py')), seed=1)
    chains = [
        dict(seed=0, classify=trained, label=label),
        dict(seed=1, classify=classify, label=label),
    ]
    assert threshold_charts(chains, ['val', 'val']) == threshold_charts(chains, ['val'])


def test_several_splits_may_be_labelled():
    several = chain(0)
    several['label']['split'] = ['train', 'extra']
    header, rows = summary_rows(dict(chains=[several]))
    assert header == ['%', 'seeds', 'train + extra', 'val']
    assert rows[2] == ['pseudo masks: foreground IoU', 1, '30.0', '']


def test_charts_have_a_line_for_each_thing_that_is_known(trained):
    label = dict(split='train', metrics={}, curves=dict(cams=[1] * 101, CRF=[2] * 101), seed=0)
    chains = [dict(seed=0, classify=trained, label=label)]
    (chart,) = threshold_charts(chains, ['val', 'test'])
    for name in ('classify, val', 'label, train', 'label, CRF, train'):
        assert f'>{name}<' in chart
    assert 'test' not in chart
    assert [f'{title}</text>' in one for title, one in zip(
        ('loss', 'validation (IoU or accuracy)'), training_charts(chains), strict=True
    )] == [True, True]  # fmt: skip
    unknown = dict(seed=0, classify=trained, label=dict(label, curves={}))
    assert threshold_charts([unknown], ['test']) == []
