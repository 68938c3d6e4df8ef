"""Metrics of two classes have own thresholds, confusion, and mmseg's mean."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from test_pseudo_label_metric import build, make_samples

from mmsmoke.evaluation import (
    ClassThresholds,
    CompanionMetric,
    CounterfactualMetric,
    PseudoLabelMetric,
)
from mmsmoke.functional import cams_to_scores, scores_to_mask
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

TWO = ('smoke', 'steam')


def measure(samples, metric=PseudoLabelMetric, classes=TWO, **settings):
    built = build(metric, classes, **settings)
    built.process({}, samples)
    return built.evaluate(len(samples)), built.details


def masked(samples, threshold):
    """Give samples the masks that their maps make."""
    for sample in samples:
        shape = sample['gt_sem_seg']['data'].shape[1:]
        present = torch.as_tensor(sample['gt_score']) > 0.5
        scores = cams_to_scores(sample['cams'], shape, present)
        sample['pred_sem_seg'] = dict(data=scores_to_mask(scores, threshold)[None])
    return samples


@pytest.mark.parametrize('threshold', [0.3, dict(smoke=0.2, steam=0.6)])
def test_miou_of_maps_is_that_of_mmseg_on_the_masks_they_make(threshold):
    values = list(threshold.values()) if isinstance(threshold, dict) else threshold
    samples = masked(make_samples(9, 2), values)
    theirs = build(IoUMetric, TWO, iou_metrics=['mIoU'])
    theirs.process({}, samples)
    expected = theirs.evaluate(len(samples))['mIoU']
    ours, _ = measure(samples, threshold=threshold)
    assert ours['cam/miou'] == pytest.approx(expected, abs=0.006)  # theirs is rounded
    of_masks, _ = measure(samples, source='mask')
    names = ('miou', 'pooled_iou_smoke', 'pooled_iou_steam', 'image_iou', 'precision_steam')
    assert [ours[f'cam/{name}'] for name in names] == [of_masks[f'cam/{name}'] for name in names]


def test_equal_thresholds_of_classes_are_one_threshold():
    samples = make_samples(9, 2)
    one, _ = measure(samples, threshold=0.4, present='all')
    own, _ = measure(samples, threshold=dict(steam=0.4, smoke=0.4), present='all')
    assert one.pop('cam/threshold') == 0.4
    assert [own.pop(f'cam/threshold_{name}') for name in TWO] == [0.4, 0.4]
    assert own == one and 'cam/false_images_steam' in own


def test_thresholds_must_name_the_classes():
    for wrong in (dict(smoke=0.4), dict(smoke=0.4, fog=0.2)):
        with pytest.raises(UserError, match='threshold must name each class: smoke, steam; got'):
            measure(make_samples(2, 2), threshold=wrong)
    with pytest.raises(UserError, match=r'threshold of steam must be in \[0, 1\), got 1'):
        PseudoLabelMetric(threshold=dict(smoke=0.4, steam=1))


def test_each_class_gets_the_threshold_that_suits_it():
    samples = make_samples(12, 2)
    found, details = measure(samples, ClassThresholds)
    assert set(found) == {'per_class/smoke', 'per_class/steam'}
    for k, name in enumerate(TWO):  # as if there were no other class
        alone = []
        for sample in samples:
            one = WeakSegDataSample(metainfo=dict(img_path=sample['img_path']))
            truth = sample['gt_sem_seg']['data']
            kept = torch.where(truth == 255, 255, (truth == k + 1).int())
            one.set_gt_score([float(sample['gt_score'][k])])
            one.gt_sem_seg, one.cams = PixelData(data=kept), sample['cams'][k : k + 1]
            alone.append(one.to_dict())
        single, curves = measure(alone, classes=(name,))
        assert found[f'per_class/{name}'] == max(single['cam/threshold'], 0.01)
        assert details['curves'][name] == curves['curves']['image_iou']
        # of a single class it is the threshold that all others use
        assert measure(alone, ClassThresholds, (name,))[0] == {
            f'per_class/{name}': single['cam/threshold']
        }


def test_a_class_without_truth_has_no_threshold():
    samples = make_samples(6, 2)
    for sample in samples:
        truth = sample['gt_sem_seg']['data']
        truth[truth == 2] = 0
    assert set(measure(samples, ClassThresholds)[0]) == {'per_class/smoke'}


def picture(mask, truth, name='one'):
    sample = WeakSegDataSample(metainfo=dict(img_path=name))
    sample.pred_sem_seg = PixelData(data=torch.tensor([mask]))
    sample.gt_sem_seg = PixelData(data=torch.tensor([truth]))
    return sample.to_dict()


def test_confusion_is_pooled_over_images():
    first = picture([[1, 1, 1, 0], [2, 2, 0, 0]], [[1, 2, 2, 0], [2, 1, 0, 0]])
    other = picture([[1, 1, 2, 2], [0, 0, 0, 0]], [[1, 1, 2, 0], [0, 0, 0, 0]], 'two')
    found, details = measure([first, other], source='mask', prefix='pseudo')
    assert found['pseudo/confusion_steam_as_smoke'] == pytest.approx(200 / 3)
    assert found['pseudo/confusion_smoke_as_steam'] == pytest.approx(50)
    assert found['pseudo/confused_steam_as_smoke'] == pytest.approx(50)
    assert found['pseudo/confused_smoke_as_steam'] == pytest.approx(25)
    assert details['confusion']['matrix'] == [[7, 0, 1], [0, 3, 1], [0, 2, 2]]


def test_without_anything_called_rightly_only_the_confused_share_is_told():
    found, details = measure([picture([[1, 0]], [[2, 2]])], source='mask')
    assert 'cam/confusion_steam_as_smoke' not in found
    assert found['cam/confused_steam_as_smoke'] == 50
    assert not [name for name in found if name.endswith('smoke_as_steam')]  # no smoke is there
    assert details['confusion']['matrix'][2][1] == 1


def test_maps_have_confusion_once_their_threshold_is_known():
    samples = masked(make_samples(9, 2), 0.3)
    of_maps, _ = measure(samples, threshold=0.3)
    of_masks, _ = measure(samples, source='mask')
    name = 'cam/confusion_steam_as_smoke'
    assert of_maps[name] == of_masks[name] > 0
    assert not [key for key in measure(samples)[0] if 'confus' in key]
    one = measure(make_samples(4), classes=('smoke',), source='mask')[0]
    assert not [key for key in one if 'confus' in key]


def test_many_classes_have_their_pairs_in_the_details():
    names = tuple('abcdefghijk')
    found, details = measure(make_samples(4, 11), source='mask', classes=names)
    assert not [key for key in found if 'confus' in key]
    assert len(details['confusion']['matrix']) == 12
    assert 'confused_a_as_b' in details['confusion']


def test_metrics_of_companions_and_pairs_take_a_threshold_of_each_class():
    sample = make_samples(4, 2)[2]
    sample['gt_context'] = dict(data=(sample['gt_sem_seg']['data'] == 0).int())
    sample['pred_score'] = torch.ones(2)
    one = measure([sample], CompanionMetric, threshold=0.4)[0]
    assert measure([sample], CompanionMetric, threshold=dict(smoke=0.4, steam=0.4))[0] == one
    assert 'companion/confusion_steam' in one
    strict = measure([sample], CompanionMetric, threshold=dict(smoke=0.4, steam=0.99))[0]
    assert strict['companion/confused_pixels_steam'] < one['companion/confused_pixels_steam']
    sample['columns'] = dict(scene='1', kind='both')
    for threshold, expected in ((0.4, 0.4), (dict(smoke=0.4, steam=0.4), 0.4)):
        metric = build(CounterfactualMetric, TWO, threshold=threshold)
        metric.process({}, [sample])
        shape = sample['gt_sem_seg']['data'].shape[1:]
        scores = cams_to_scores(sample['cams'], shape)
        assert metric.results[0]['mask'].equal(scores_to_mask(scores, expected))


def test_a_class_whose_maps_always_miss_it_leaves_the_others_what_is_theirs(monkeypatch):
    said = []
    monkeypatch.setattr(ClassThresholds, 'warn', lambda self, message: said.append(message))
    truth = torch.zeros(1, 4, 8, dtype=torch.long)
    truth[:, :2, :4], truth[:, 2:, 4:] = 1, 2
    sample = WeakSegDataSample(metainfo=dict(img_path='one'))
    sample.set_gt_score([1.0, 1.0])
    sample.gt_sem_seg = PixelData(data=truth)
    cams = torch.zeros(2, 4, 8)
    cams[0, :2, :4], cams[1, :2, :4] = 1.0, 0.5  # steam's map lies on the smoke
    sample.cams = cams
    sample.set_metainfo(dict(cam_normalize='none'))
    found, _ = measure([sample.to_dict()], ClassThresholds)
    assert len(said) == 1 and 'the maps of steam miss it at every threshold' in said[0]
    assert found['per_class/smoke'] > 0 and found['per_class/steam'] == 0.99
    mask = scores_to_mask(cams, list(found.values()))
    assert torch.equal(mask == 1, truth[0] == 1) and not (mask == 2).any()


def test_a_threshold_by_name_may_be_that_of_a_single_class():
    samples = make_samples(4, 1)
    found, _ = measure(samples, classes=('smoke',), threshold=dict(smoke=0.3))
    plain, _ = measure(samples, classes=('smoke',), threshold=0.3)
    assert found['cam/image_iou'] == plain['cam/image_iou']
