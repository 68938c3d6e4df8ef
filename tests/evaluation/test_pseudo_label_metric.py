import logging
import math

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric

from mmsmoke.evaluation import PseudoLabelMetric, image_metric
from mmsmoke.functional import IGNORE
from mmsmoke.structures import WeakSegDataSample

SHAPE = (20, 26)
IOUS = ('cam/image_iou', 'cam/pooled_iou', 'cam/image_iou_oracle')


def make_samples(count=6, num_classes=1, seed=0, prefix='images'):
    """As an evaluator passes them on: dicts with truth, CAMs on a coarse grid and a mask."""
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(count):
        labels = [float((i + 1) >> k & 1) for k in range(num_classes)]
        truth = rng.integers(0, num_classes + 1, SHAPE)
        for k, label in enumerate(labels):
            if not label:
                truth[truth == k + 1] = 0
        truth[rng.random(SHAPE) < 0.05] = IGNORE
        name = f'{prefix}/{i}.png'
        sample = WeakSegDataSample(metainfo=dict(image=name, img_path=name, ori_shape=SHAPE))
        sample.set_gt_score(labels)
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(truth)[None])
        sample.cams = torch.from_numpy(rng.random((num_classes, 5, 6)).astype(np.float32)) * 9
        mask = rng.integers(0, num_classes + 1, SHAPE)
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(mask)[None])
        samples.append(sample.to_dict())
    return samples


def build(metric=PseudoLabelMetric, classes=('smoke',), **kwargs):
    built = metric(**kwargs)
    built.dataset_meta = dict(classes=('background', *classes))
    return built


def evaluate(samples, size=None, **kwargs):
    metric = build(**kwargs)
    metric.process({}, samples)
    return metric.evaluate(len(samples) if size is None else size)


def test_pooled_iou_of_masks_is_that_of_mmseg():
    samples = make_samples()
    theirs = build(IoUMetric)
    theirs.process({}, samples)
    intersect, union, _, _ = (sum(areas) for areas in zip(*theirs.results, strict=True))
    ours = evaluate(samples, source='mask', prefix='seg')
    assert ours['seg/pooled_iou'] == pytest.approx(100 * (intersect / union)[1].item())


def test_pooled_iou_of_three_classes_is_that_of_mmseg():
    classes = ('smoke', 'steam', 'fog')
    samples = make_samples(12, 3)
    theirs = build(IoUMetric, classes)
    theirs.process({}, samples)
    intersect, union, _, _ = (sum(areas) for areas in zip(*theirs.results, strict=True))
    ours = evaluate(samples, source='mask', classes=classes)
    expected = 100 * (intersect / union)[1:]
    assert [ours[f'cam/pooled_iou_{name}'] for name in classes] == pytest.approx(expected.tolist())
    assert ours['cam/pooled_iou'] == pytest.approx(expected.mean().item())


def test_mean_over_background_and_smoke_is_mmsegs_miou():
    for num_classes, classes in ((1, ('smoke',)), (3, ('smoke', 'steam', 'fog'))):
        samples = make_samples(12, num_classes)
        theirs = build(IoUMetric, classes, iou_metrics=['mIoU'])
        theirs.process({}, samples)
        ours = evaluate(samples, source='mask', classes=classes)['cam/miou']
        assert ours == pytest.approx(theirs.evaluate(12)['mIoU'], abs=0.0051)  # which is rounded


def test_precision_recall_and_f1_are_those_of_mmseg():
    samples = make_samples(12)
    theirs = build(IoUMetric, iou_metrics=['mFscore'])
    theirs.process({}, samples)
    areas = [sum(values) for values in zip(*theirs.results, strict=True)]
    expected = theirs.total_area_to_metrics(*areas, metrics=['mFscore'])
    ours = evaluate(samples, source='mask')
    for name, key in (('precision', 'Precision'), ('recall', 'Recall'), ('f1', 'Fscore')):
        assert ours[f'cam/{name}'] == pytest.approx(100 * expected[key][1])


def test_one_class_gets_no_second_name():
    assert not [name for name in evaluate(make_samples(), source='mask') if 'smoke' in name]


def test_pixels_that_a_mask_leaves_open():
    (sample,) = make_samples(1)
    closed = evaluate([sample], source='mask')
    mask, truth = sample['pred_sem_seg']['data'], sample['gt_sem_seg']['data']
    opened = (torch.arange(mask.numel()).view_as(mask) % 4 == 0) & (truth != IGNORE)
    mask[opened] = IGNORE
    result = evaluate([sample], source='mask')
    assert closed['cam/ignored'] == 0
    assert result['cam/ignored'] == pytest.approx(100 * (opened.sum() / (truth != IGNORE).sum()))
    # elsewhere nothing changes
    truth[opened] = IGNORE
    again = evaluate([sample], source='mask')
    assert again.pop('cam/ignored') == 0
    assert again == {key: value for key, value in result.items() if key != 'cam/ignored'}


def clear_sample(name, alarms, probability=0.9):
    """A clear image of a thousand pixels, with so many predicted."""
    scores = torch.zeros(1, 25, 40)
    scores.view(-1)[:alarms] = 1
    return dict(
        image=name,
        gt_score=torch.zeros(1),
        pred_score=torch.tensor([probability]),
        cams=scores,
        gt_sem_seg=dict(data=torch.zeros(1, 25, 40, dtype=torch.long)),
        pred_sem_seg=dict(data=scores.long()),
    )


def test_false_alarms_on_clear_images():
    clear = [clear_sample('a', 0), clear_sample('b', 1), clear_sample('c', 2)]
    result = evaluate([*make_samples(4), *clear], source='mask')
    only = evaluate(clear, source='mask')
    assert only['cam/false_pixels'] == pytest.approx(100 * 3 / 3000)
    assert only['cam/false_images'] == pytest.approx(100 / 3)  # one in a thousand is not an alarm
    # images with smoke do not count
    smoky = evaluate([s for s in make_samples(4) if s['gt_score'][0]], source='mask')
    assert 'cam/false_pixels' not in smoky
    assert result['cam/false_images'] > only['cam/false_images']  # one of the four is clear


def test_maps_of_clear_images_are_false_alarms_where_the_classifier_believes_in_them():
    smoke = [sample for sample in make_samples(4) if sample['gt_score'][0]]
    for sample in smoke:
        sample['pred_score'] = torch.tensor([0.9])
    clear = [clear_sample('seen', 500), clear_sample('not seen', 500, probability=0.1)]

    def alarms(present):
        result = evaluate([*smoke, *clear], threshold=0.5, present=present)
        return result.get('cam/false_images'), result.get('cam/false_pixels')

    assert alarms('label') == (None, None)
    assert alarms('prediction') == (50, 25)
    assert alarms('all') == (100, 50)


def test_intervals_hold_the_value_and_are_wider_for_frames_of_few_videos():
    samples = make_samples(24, seed=3)
    result = evaluate(samples, source='mask')
    for name in ('image_iou', 'pooled_iou'):
        low, high = result[f'cam/{name}_low'], result[f'cam/{name}_high']
        assert low < result[f'cam/{name}'] < high
    ious = [evaluate([sample], source='mask').get('cam/image_iou', -math.inf) for sample in samples]
    order = np.argsort(ious)
    for place, i in enumerate(order):
        samples[i]['columns'] = dict(group=f'video {place // 6}')
    grouped = evaluate(samples, source='mask')
    width = {id(r): r['cam/image_iou_high'] - r['cam/image_iou_low'] for r in (result, grouped)}
    assert width[id(grouped)] > width[id(result)]
    assert grouped['cam/image_iou'] == pytest.approx(result['cam/image_iou'])


def test_rule_for_images_without_truth_is_passed_on():
    samples = [*make_samples(3), clear_sample('right', 0), clear_sample('wrong', 9)]
    values = {
        empty: evaluate(samples, source='mask', empty=empty)['cam/image_iou']
        for empty in ('skip', 'zero', 'one_if_empty')
    }
    assert values['one_if_empty'] > values['skip'] > values['zero'] > 0


@pytest.mark.parametrize('empty', ['skip', 'zero', 'one_if_empty'])
def test_chosen_threshold_is_the_best_by_the_rule_for_images_without_truth(empty):
    samples = [s for s in make_samples(5) if s['gt_score'][0]]
    for sample in samples:
        sample['cams'] = sample['cams'] / 9
    clear = [clear_sample(str(i), 500) for i in range(4)]
    for i, sample in enumerate(clear):
        sample['cams'] *= 0.3
        sample['cams'][0, 0, 0] = 0.5 + i / 10
    options = dict(empty=empty, present='all', normalize='none', bootstrap=0)
    chosen = evaluate([*samples, *clear], **options)
    others = [
        evaluate([*samples, *clear], threshold=t / 100, **options)['cam/image_iou']
        for t in range(101)
    ]
    assert chosen['cam/image_iou'] == max(others)
    assert chosen['cam/image_iou_oracle'] >= max(others)


def test_images_of_which_nothing_is_known_are_not_clear():
    unknown = clear_sample('unknown', 9)
    unknown['gt_sem_seg']['data'][:] = IGNORE
    samples = [clear_sample('a', 500), unknown]
    assert evaluate(samples, source='mask')['cam/false_images'] == 100


def test_images_of_one_scene_or_video_are_one_group():
    samples = make_samples(24, seed=3)
    for i, sample in enumerate(samples):
        sample['columns'] = dict(scene=str(i // 4))
    by_scene = evaluate(samples, source='mask')
    for columns in (
        lambda i: dict(group=str(i // 4), scene=str(i)),
        lambda i: dict(group='', video=str(i // 4)),
        lambda i: dict(clip=str(i // 4)),
    ):
        for i, sample in enumerate(samples):
            sample['columns'] = columns(i)
        assert evaluate(samples, source='mask') == by_scene
    for sample in samples:
        sample['columns'] = {}
    assert evaluate(samples, source='mask') != by_scene


def mean_iou_by_hand(samples, threshold):
    """Resizes with numpy's own bilinear interpolation, pixel centres aligned."""
    values = []
    for sample in samples:
        truth = sample['gt_sem_seg']['data'][0].numpy()
        if not sample['gt_score'][0] or not (truth == 1).any():
            continue
        cam = sample['cams'][0].double().numpy()
        cam = (cam - cam.min()) / (cam.max() - cam.min())
        for axis, size in enumerate(SHAPE):
            old = cam.shape[axis]
            at = (np.arange(size) + 0.5) * old / size - 0.5
            cam = np.apply_along_axis(
                lambda line, at=at: np.interp(at, np.arange(len(line)), line), axis, cam
            )
        predicted, valid = cam > threshold, truth != IGNORE
        hit = (predicted & (truth == 1) & valid).sum()
        values.append(hit / ((predicted | (truth == 1)) & valid).sum())
    return 100 * np.mean(values)


def test_image_iou_of_cams_agrees_with_numpy():
    samples = make_samples()
    for threshold in (0.15, 0.3, 0.62):
        ours = evaluate(samples, threshold=threshold)
        assert ours['cam/image_iou'] == pytest.approx(mean_iou_by_hand(samples, threshold))
        assert ours['cam/threshold'] == threshold


def test_chosen_threshold_is_the_best_of_all():
    samples = make_samples(5)
    chosen = evaluate(samples)
    best, threshold = chosen['cam/image_iou'], chosen['cam/threshold']
    assert evaluate(samples, threshold=threshold) == chosen
    for t in range(101):
        assert evaluate(samples, threshold=t / 100)['cam/image_iou'] <= best


def test_threshold_between_two_that_are_counted_is_refused():
    with pytest.raises(ValueError, match=r'one of 0\.00.*got 0\.305'):
        PseudoLabelMetric(threshold=0.305)


def set_scores(sample, scores, truth):
    sample.update(seg_scores=torch.tensor(scores), gt_score=torch.ones(len(scores)))
    sample['gt_sem_seg'] = dict(data=torch.tensor(truth)[None])
    return sample


def test_lowest_of_equally_good_thresholds_is_chosen():
    (sample,) = make_samples(1)
    result = evaluate([set_scores(sample, [[[0.2, 0.9]]], [[0, 1]])])
    assert result['cam/threshold'] == 0.2
    assert [result[name] for name in IOUS] == [100, 100, 100]


def test_chosen_threshold_reaches_a_hundred_for_scores_that_rank_the_mask():
    samples = make_samples(4)
    for sample in samples:
        truth = sample['gt_sem_seg']['data'] == 1
        sample['seg_scores'] = 0.2 + 0.35 * truth.float()
    result = evaluate([s for s in samples if s['gt_score'][0]])
    assert result['cam/threshold'] == 0.2
    assert [result[name] for name in IOUS] == [100, 100, 100]


def test_oracle_is_the_mean_of_what_each_image_reaches_alone():
    samples = [sample for sample in make_samples(8) if sample['gt_score'][0]]
    together = evaluate(samples)
    alone = [evaluate([sample])['cam/image_iou'] for sample in samples]
    assert together['cam/image_iou_oracle'] == pytest.approx(np.mean(alone))
    assert together['cam/image_iou_oracle'] > together['cam/image_iou']
    # the threshold that is used does not matter to it
    fixed = evaluate(samples, threshold=0.3)
    assert fixed['cam/image_iou_oracle'] == together['cam/image_iou_oracle']
    assert fixed['cam/image_iou'] < together['cam/image_iou']


def test_each_class_has_its_own_oracle():
    classes = ('smoke', 'steam')
    result = evaluate(make_samples(8, 2), classes=classes)
    each = [result[f'cam/image_iou_oracle_{name}'] for name in classes]
    assert each[0] != each[1]
    assert result['cam/image_iou_oracle'] == pytest.approx(np.mean(each))


def test_refined_scores_go_before_cams():
    (sample,) = make_samples(1)
    truth = sample['gt_sem_seg']['data']
    plain = evaluate([sample], threshold=0.5)['cam/image_iou']
    refined = evaluate([{**sample, 'seg_scores': (truth == 1).float()}], threshold=0.5)
    assert refined['cam/image_iou'] == 100 > plain


def test_class_that_the_label_excludes_is_not_predicted():
    samples = make_samples(2)
    negative = samples[1]
    assert not negative['gt_score'].any()
    alone, both = evaluate(samples[:1], threshold=0.3), evaluate(samples, threshold=0.3)
    for name in ('image_iou', 'pooled_iou', 'precision', 'recall'):
        assert alone[f'cam/{name}'] == both[f'cam/{name}']


def test_false_alarms_of_masks_count_in_the_pool():
    positive, negative = make_samples(2)
    for sample in (positive, negative):
        sample['gt_sem_seg']['data'] = torch.zeros(1, 4, 4, dtype=torch.long)
        sample['pred_sem_seg'] = dict(data=torch.zeros(1, 4, 4, dtype=torch.long))
        sample['pred_sem_seg']['data'][0, 0] = 1
    positive['gt_sem_seg']['data'][0, 0] = 1
    result = evaluate([positive, negative], source='mask')
    assert (result['cam/image_iou'], result['cam/pooled_iou']) == (100, 50)


def test_images_without_a_mask_file_are_left_out():
    samples = make_samples(6)
    expected = evaluate(samples[:4])
    for sample in samples[4:]:
        del sample['gt_sem_seg']
    assert evaluate(samples) == expected


def test_no_truth_at_all_gives_no_number():
    samples = make_samples(3)
    for sample in samples:
        del sample['gt_sem_seg']
    assert evaluate(samples) == {}


def test_only_negatives_give_no_iou():
    result = evaluate(make_samples(2)[1:], threshold=0.3)
    assert 'cam/image_iou' not in result
    assert all(math.isfinite(value) for value in result.values())


def test_normalisation_is_passed_on():
    samples = make_samples(5)
    for sample in samples:
        sample['cams'] = sample['cams'] + 3
    values = {mode: evaluate(samples, threshold=0.3, normalize=mode) for mode in ('minmax', 'max')}
    assert values['minmax'] != values['max']


def test_normalisation_is_the_one_that_the_read_out_asks_for():
    samples = make_samples(5)
    for sample in samples:
        sample['cams'] = sample['cams'] / 20 + 0.2  # between 0.2 and 0.65
    modes = ('none', 'max', 'minmax')
    explicit = {mode: evaluate(samples, threshold=0.4, normalize=mode) for mode in modes}
    assert len({result['cam/image_iou'] for result in explicit.values()}) == 3
    assert evaluate(samples, threshold=0.4) == explicit['minmax']
    for mode in modes:
        asking = [{**sample, 'cam_normalize': mode} for sample in samples]
        assert evaluate(asking, threshold=0.4) == explicit[mode]
        assert evaluate(asking, threshold=0.4, normalize='max') == explicit['max']


def test_what_the_read_out_asks_for_reaches_the_metric():
    sample = WeakSegDataSample()
    sample.set_metainfo(dict(cam_normalize='none'))
    assert sample.to_dict()['cam_normalize'] == 'none'


# Several processes


def test_repeated_images_count_once():
    samples = make_samples(7)
    expected = evaluate(samples)
    # a sampler fills the last batch with the first images
    assert evaluate([*samples, *samples[:3]], size=7) == expected


def test_order_of_images_does_not_matter():
    samples = make_samples(9)
    assert evaluate(samples[::-1]) == evaluate(samples)


@pytest.mark.parametrize('shares', [(5, 4), (8, 1), (9, 0)])
def test_uneven_shares_of_two_processes_give_the_numbers_of_one(shares):
    samples = make_samples(9)
    first, second = build(), build()
    first.process({}, samples[: shares[0]])
    second.process({}, [*samples[shares[0] :], samples[0]])
    gathered = build()
    gathered.results = [*second.results, *first.results]
    assert gathered.evaluate(9) == evaluate(samples)


def test_images_of_the_same_name_in_two_data_sets_are_two_images():
    samples = make_samples(2, seed=0) + make_samples(2, seed=1)
    different = make_samples(2, seed=0) + make_samples(2, seed=1)
    for i, sample in enumerate(samples):
        sample['img_path'] = f'data/{"ab"[i // 2]}/{sample["image"]}'
        different[i]['image'] = different[i]['img_path'] = f'{i}.png'
    assert evaluate(samples) == evaluate(different)


# Numbers that would mislead


@pytest.fixture
def said(monkeypatch):
    """The warnings of all metrics, in order."""
    messages = []

    def note(message, logger, level):
        assert (logger, level) == ('current', logging.WARNING)
        messages.append(message)

    monkeypatch.setattr(image_metric, 'print_log', note)
    return messages


def without_truth(samples):
    """Takes the true masks of images with smoke away, as where nobody has drawn any."""
    for sample in samples:
        if sample['gt_score'].any():
            del sample['gt_sem_seg']
    return samples


def test_clear_images_alone_give_no_miou_and_it_is_said_once_why(said):
    samples = without_truth(make_samples(6))
    metric = build(source='mask', prefix='pseudo')
    for _ in range(2):  # as after each epoch
        metric.process({}, samples)
        result = metric.evaluate(6)
        assert 'pseudo/miou' not in result and 'pseudo/image_iou' not in result
        assert 'pseudo/false_images' in result
    assert said == [
        'pseudo: none of 3 images with foreground has a true mask that shows it, so there is no '
        'IoU; clear images alone would give a miou that is high for any model'
    ]


def test_one_true_mask_is_enough_for_a_miou(said):
    samples = make_samples(6)
    without_truth(samples[1:])
    assert 0 < evaluate(samples, source='mask')['cam/miou'] < 100
    assert said == []


def test_split_of_clear_images_gives_no_miou_and_nothing_is_wrong_with_it(said):
    clear = [clear_sample('a', 0), clear_sample('b', 3)]
    assert 'cam/miou' not in evaluate(clear, source='mask')
    assert 'cam/miou' not in evaluate(clear, threshold=0.3)
    assert evaluate([clear_sample('a', 0)], source='mask')['cam/false_images'] == 0
    assert said == []


@pytest.mark.parametrize('shares', [(4, 2), (6, 0)])
def test_uneven_shares_of_two_processes_give_the_warnings_of_one(said, shares):
    samples = without_truth(make_samples(6))
    for sample in samples:
        sample['pred_sem_seg']['data'][:] = 0
    expected = evaluate(samples, source='mask')
    warnings = said.copy()
    said.clear()
    first, second = build(source='mask'), build(source='mask')
    first.process({}, samples[: shares[0]])
    second.process({}, [*samples[shares[0] :], samples[0]])
    gathered = build(source='mask')
    gathered.results = [*second.results, *first.results]
    assert gathered.evaluate(6) == expected
    assert said == warnings and len(said) == 2


def test_best_threshold_of_zero_is_said(said):
    (sample,) = make_samples(1)
    backwards = set_scores(sample, [[[0.9, 0.1]]], [[0, 1]])
    assert evaluate([backwards])['cam/threshold'] == 0
    assert said == [
        'cam: no threshold is better than 0.00, at which every pixel with any score is '
        'foreground: the maps do not tell where it is'
    ]
    evaluate([backwards], threshold=0.0)  # somebody's own choice
    evaluate([set_scores(sample, [[[0.2, 0.9]]], [[0, 1]])])
    assert len(said) == 1


@pytest.mark.parametrize('known', [True, False])
def test_model_that_finds_nothing_at_all_is_said(said, known):
    samples = make_samples(4)
    for sample in samples:
        sample['pred_sem_seg']['data'][:] = 0
        sample['pred_sem_seg']['data'][0, 0] = IGNORE
        if not known:
            del sample['gt_sem_seg']
    evaluate(samples, source='mask', prefix='seg')
    assert said == [
        'seg: not one pixel of 4 masks is foreground, though 2 images have some: everything is '
        'taken for background'
    ]
    samples[1]['pred_sem_seg']['data'][0, 5, 5] = 1
    evaluate(samples, source='mask', prefix='seg')
    assert len(said) == 1


def test_images_without_labels_have_foreground_where_their_mask_has(said):
    samples = make_samples(2)
    for sample in samples:
        del sample['gt_score']
        sample['pred_sem_seg']['data'][:] = 0
    evaluate(samples[1:], source='mask')
    assert said == []
    evaluate(samples, source='mask')
    assert len(said) == 1 and 'though 1 images have some' in said[0]


# Mistakes


@pytest.mark.parametrize('name', ['source', 'present', 'empty'])
def test_unknown_choice_is_named(name):
    with pytest.raises(ValueError, match=f"{name} must be one of .*, got 'cams'"):
        PseudoLabelMetric(**{name: 'cams'})
