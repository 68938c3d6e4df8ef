import numpy as np
import pytest
import torch
from PIL import Image

from mmsmoke.evaluation import ClipAccuracy, EventMetric, FlowMetric
from mmsmoke.experiments.evaluate import fix_threshold
from mmsmoke.utils import DataError, UserError


def evaluate(metric, samples, classes=('smoke',)):
    metric.dataset_meta = dict(classes=('background', *classes))
    metric.process({}, samples)
    prefix = f'{metric.default_prefix}/'
    return {k.removeprefix(prefix): v for k, v in metric.evaluate(len(samples)).items()}


# Labels of clips


def frames(clip, probabilities, label):
    return [
        dict(
            image=f'{clip}_{k}.png',
            columns=dict(clip=clip),
            pred_score=torch.tensor([probability]),
            gt_score=torch.tensor([float(label)]),
        )
        for k, probability in enumerate(probabilities)
    ]


SEEN = [
    *frames('a', [0.1, 0.9, 0.2, 0.1], 1),
    *frames('b', [0.4, 0.4], 0),
    *frames('c', [0.1, 0.6], 0),
]


def test_a_clip_is_called_by_its_strongest_frame():
    assert evaluate(ClipAccuracy(), SEEN) == {
        'accuracy': pytest.approx(200 / 3),
        'worst_class': pytest.approx(50),
    }


def test_the_mean_of_logits_calls_otherwise():
    assert evaluate(ClipAccuracy('mean'), SEEN) == {
        'accuracy': pytest.approx(200 / 3),
        'worst_class': 0,
    }
    assert evaluate(ClipAccuracy(0.25), SEEN) == evaluate(ClipAccuracy(), SEEN)


def test_certain_frames_are_numbers_too():
    certain = [*frames('a', [1.0, 0.0], 1), *frames('b', [0.0, 0.0], 0)]
    for pool in ('max', 'softmax'):
        assert evaluate(ClipAccuracy(pool), certain)['accuracy'] == 100


def test_the_order_of_frames_and_repeated_ones_do_not_matter():
    assert evaluate(ClipAccuracy(), SEEN[::-1] + SEEN[:3]) == evaluate(ClipAccuracy(), SEEN)


def test_images_of_no_clip_have_no_such_numbers():
    single = frames('a', [0.3], 0)
    single[0]['columns'] = dict(camera='c')
    assert evaluate(ClipAccuracy(), single) == evaluate(FlowMetric(), single) == {}
    with pytest.raises(ValueError, match='pool must be one of'):
        ClipAccuracy('least')


# Maps and flow


@pytest.fixture
def clip(tmp_path):
    """Function that makes samples of a clip: maps and places of a bright square."""

    def make(maps, lefts, name='a', probability=1.0):
        ground = np.random.default_rng(0).integers(60, 90, (32, 32, 3)).astype(np.uint8)
        samples = []
        for row, (one, left) in enumerate(zip(maps, lefts, strict=True)):
            picture = ground.copy()
            picture[10:22, left : left + 12] = 200
            path = tmp_path / f'{name}_{row}.png'
            Image.fromarray(picture).save(path)
            samples.append(
                dict(
                    image=path.name, img_path=str(path), row=row, columns=dict(clip=name),
                    cams=one, pred_score=torch.tensor([probability]), cam_normalize='none',
                )
            )  # fmt: skip
        return samples

    return make


def square(left):
    one = torch.zeros(1, 32, 32)
    one[0, 10:22, left : left + 12] = 1
    return one


def test_a_clip_that_stands_still_agrees_with_itself(clip):
    found = evaluate(FlowMetric(), clip([square(6)] * 3, [6, 6, 6]))
    assert found == dict(disagreement=0, overlap=100, visible=100)


def test_a_map_that_moves_with_the_picture_agrees_better_than_one_that_does_not(clip):
    lefts = [6, 8, 10, 12]
    along = evaluate(FlowMetric(), clip([square(left) for left in lefts], lefts, 'a'))
    fixed = evaluate(FlowMetric(), clip([square(6)] * 4, lefts, 'b'))
    astray = evaluate(FlowMetric(), clip([square(left) for left in (6, 18, 2, 20)], lefts, 'c'))
    assert along['overlap'] > fixed['overlap'] > astray['overlap']
    assert along['disagreement'] < fixed['disagreement'] < astray['disagreement']
    assert 50 < along['visible'] <= 100


def test_still_pictures_give_the_plain_difference(clip):
    found = evaluate(FlowMetric(), clip([square(6), 0 * square(6)], [6, 6]))
    assert found['disagreement'] == pytest.approx(100 * 144 / 1024)
    assert found['overlap'] == 0
    weak = evaluate(FlowMetric(), clip([square(6), 0 * square(6)], [6, 6], 'b', probability=0.25))
    assert weak['disagreement'] == pytest.approx(25 * 144 / 1024)


def test_empty_maps_agree_but_overlap_nowhere(clip):
    found = evaluate(FlowMetric(), clip([0 * square(6)] * 2, [6, 8]))
    assert found['disagreement'] == 0 and 'overlap' not in found


def test_frames_of_different_clips_are_no_pair(clip):
    samples = clip([square(6)], [6]) + clip([0 * square(6)], [6], 'b')
    assert evaluate(FlowMetric(), samples) == {}


def test_masks_have_an_agreement_too(clip):
    samples = clip([square(6)] * 2, [6, 6])
    for sample in samples:
        sample['pred_sem_seg'] = dict(data=square(6).byte())
    assert evaluate(FlowMetric('mask', side=16), samples)['overlap'] == 100
    with pytest.raises(ValueError, match='source must be'):
        FlowMetric('pictures')


# Events


def series(camera, shares, truth, every=60.0, **more):
    return [
        dict(
            image=f'{camera}_{k:03d}.png',
            columns=dict(camera=camera, time=str(k * every), frame_truth=str(true)),
            pred_score=torch.tensor([share]),
            gt_score=torch.tensor([float(true in (1, 'yes'))]),
            **more,
        )
        for k, (share, true) in enumerate(zip(shares, truth, strict=True))
    ]


DAY = [
    *series('north', [0, 0, 0.9, 0.4, 0, 0, 0.8, 0, 0, 0], [0, 1, 1, 1, 0, 0, 0, 0, 1, 0]),
    *series('south', [0.6, 0, 0, 0, 0.2, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
]


def test_events_are_found_late_missed_or_false():
    found = evaluate(EventMetric(low=0.3), DAY)
    assert found == dict(
        events=3,
        precision=pytest.approx(200 / 3),
        recall=pytest.approx(200 / 3),
        f1=pytest.approx(200 / 3),
        delay=30,
        found=3 / (20 / 1440),
        false_alarms=1 / (20 / 1440),
    )


def test_a_least_duration_and_merging():
    assert evaluate(EventMetric(low=0.3, min_seconds=60), DAY)['false_alarms'] == 0
    merged = evaluate(EventMetric(merge_seconds=240), DAY)
    assert merged['precision'] == 100 and merged['recall'] == pytest.approx(200 / 3)


def test_nothing_found_has_no_precision_and_nothing_true_no_recall():
    quiet = evaluate(EventMetric(high=0.95), DAY)
    assert quiet == dict(events=3, recall=0, f1=0, found=0, false_alarms=0)
    clear = evaluate(EventMetric(), series('a', [0.9, 0], [0, 0]))
    assert clear == dict(events=0, precision=0, f1=0, found=720, false_alarms=720)


def test_frames_may_come_in_any_order_and_hours_without_any_do_not_count():
    assert evaluate(EventMetric(low=0.3), DAY[::-1]) == evaluate(EventMetric(low=0.3), DAY)
    parted = series('a', [0.9, 0, 0, 0], [0, 0, 0, 0])
    for sample in parted[2:]:
        sample['columns']['time'] = str(float(sample['columns']['time']) + 36000)
    assert evaluate(EventMetric(), parted)['false_alarms'] == 1440 / 4


def test_truth_is_the_column_or_the_mask_or_the_label():
    rows = series('a', [0.9, 0.9, 0.0], [1, 1, 0])
    assert evaluate(EventMetric(), rows)['delay'] == 0
    in_words = series('a', [0.9, 0.9, 0.0], ['yes', 'yes', 'no'])
    assert evaluate(EventMetric(), in_words) == evaluate(EventMetric(), rows)
    for sample in rows:
        del sample['columns']['frame_truth']
    assert evaluate(EventMetric(), rows)['events'] == 1
    for sample in rows:
        sample['gt_sem_seg'] = dict(data=torch.zeros(1, 4, 4))
    assert evaluate(EventMetric(), rows)['events'] == 0


def test_classes_of_maps_may_have_thresholds_of_their_own():
    maps = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    (row,) = series('a', [0.9], [1], cams=maps, ori_shape=(1, 2))
    row['pred_score'], row['gt_score'] = torch.ones(2), torch.ones(2)
    metric = EventMetric(
        source='cams', threshold=dict(smoke=0.2, steam=0.4), class_name='steam', normalize='none'
    )
    assert evaluate(metric, [row], ('smoke', 'steam'))['events'] == 1
    assert metric.look(row)['share'] == 0.5


def test_a_clip_is_a_series_where_no_camera_is_named():
    rows = series('a', [0.9], [1]) + series('b', [0.9], [1])
    for sample in rows:
        sample['columns'].update(camera='', clip=sample['image'])
    found = evaluate(EventMetric(), rows)
    assert found == dict(events=2, precision=100, recall=100, f1=100, delay=0)


def test_shares_of_maps_and_masks_make_events():
    rows = series('a', [0.9, 0.9, 0.3], [1, 1, 0], cams=square(6), ori_shape=(32, 32))
    share = 144 / 1024
    for high, events in ((share - 0.01, 1), (share + 0.01, 0)):
        found = evaluate(EventMetric(high, source='cams', threshold=0.5), rows)
        assert found['recall'] == 100 * events
    # the last frame is not predicted, so its map shows nothing
    frame = evaluate(EventMetric(0.1, source='cams', threshold=0.5, min_seconds=120), rows)
    assert frame['recall'] == 0
    assert evaluate(EventMetric(0.1, source='cams'), rows) == {}
    for sample in rows:
        sample['pred_sem_seg'] = dict(data=2 * square(6).byte())
        sample['gt_score'] = torch.tensor([0.0, 1.0])
    masks = EventMetric(0.1, source='mask', class_name='fog')
    assert evaluate(masks, rows, ('smoke', 'fog'))['recall'] == 100


def test_the_threshold_of_a_validation_split_reaches_events_of_maps_alone():
    evaluator = [dict(type='mmsmoke.EventMetric', source=one) for one in ('cams', 'mask')]
    evaluator.append(dict(type='mmsmoke.EventMetric'))
    fix_threshold(evaluator, 0.3)
    assert [metric.get('threshold') for metric in evaluator] == [0.3, None, None]


def test_settings_and_columns_that_cannot_be_are_named():
    with pytest.raises(UserError, match=r'low must not exceed high, got 0\.6 and 0\.5'):
        EventMetric(low=0.6)
    with pytest.raises(UserError, match='merge_seconds must not be negative, got -1'):
        EventMetric(merge_seconds=-1)
    with pytest.raises(ValueError, match='source must be one of'):
        EventMetric(source='maps')
    with pytest.raises(UserError, match="no class 'fog'; there are smoke"):
        evaluate(EventMetric(class_name='fog'), DAY)
    timeless = series('a', [0.1], [0])
    del timeless[0]['columns']['time']
    with pytest.raises(DataError, match=r'a_000\.png: the column time must hold'):
        evaluate(EventMetric(), timeless)
