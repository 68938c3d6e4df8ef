"""A classifier and a decoder that learn at once, on one backbone."""

import copy
import logging

import numpy as np
import pytest
import torch
from label_runs import tiny_model
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from tiny_segmentor import segmentor, single
from tiny_trained import tiny_distiller

from mmsmoke.functional import IGNORE, normalize_cams, resize_maps
from mmsmoke.models import PAR
from mmsmoke.models.segmentors.online_labels import OnlineLabels
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

NAN = float('nan')
PLAIN = dict(refine=None)
TWO_OUTPUTS = tiny_model(1)
TWO_OUTPUTS['backbone']['out_indices'] = (0, 1)
AUXILIARY = dict(index=0, in_channels=4)
DISTILLER = dict(tiny_distiller(), align='class_maps')


@pytest.fixture(autouse=True)
def mmseg_scope(monkeypatch):
    monkeypatch.setattr(MessageHub, '_instance_dict', {})  # no training has told how long it is
    with DefaultScope.overwrite_default_scope('mmseg'):
        torch.manual_seed(0)
        yield


def build(classifier=None, mode=True, **others):
    others.setdefault('labels', PLAIN)
    model = MODELS.build(ConfigDict(single(copy.deepcopy(classifier), **copy.deepcopy(others))))
    model.init_weights()
    return model.train(mode)


def batch(labels=(0, 1, 0, 1), size=(32, 40)):
    """Noise with a bright square where the label says so."""
    dice = torch.Generator().manual_seed(1)
    images, samples = torch.randint(0, 100, (len(labels), 3, *size), generator=dice), []
    for image, label in zip(images, labels, strict=True):
        if label == 1:
            image[:, 8:24, 8:24] += 150
        samples.append(WeakSegDataSample().set_gt_score(torch.tensor([float(label)])))
    return dict(inputs=list(images.byte()), data_samples=samples)


def prepared(model, data=None):
    return model.data_preprocessor(copy.deepcopy(data or batch()), training=True)


def losses_of(model, data=None):
    return model(**prepared(model, data), mode='loss')


def labels_of(model, data=None):
    data = prepared(model, data)
    feats = model.extract_feat(data['inputs'])
    return model.make_labels(data['inputs'], feats, data['data_samples'])


def naive_mask(maps, labels, inside, high, low):
    """Return the mask [H, W] of one image, pixel by pixel."""
    mask = torch.full(inside.shape, IGNORE)
    if any(label != label for label in labels):
        return mask
    maps = resize_maps(maps[None].clamp(min=0), inside.shape)[0] * inside
    best = [float(one.max()) for one in maps]
    lost = any(label and not top for label, top in zip(labels, best, strict=True))
    for row, column in inside.nonzero().tolist():
        scores = [
            float(one[row, column]) / top if label and top else 0.0
            for one, label, top in zip(maps, labels, best, strict=True)
        ]
        if max(scores) > high:
            mask[row, column] = scores.index(max(scores)) + 1
        elif max(scores) <= low and not lost:
            mask[row, column] = 0
    return mask


def test_masks_are_those_of_a_loop_over_pixels():
    maps = torch.randn(6, 2, 5, 6)
    maps[4] = -1  # an empty map of a present class
    maps[5, 1] = -1
    labels = torch.tensor([[1.0, 1], [1, 0], [0, 0], [NAN, NAN], [0, 1], [1, 1]])
    inside = torch.ones(6, 16, 20, dtype=torch.bool)
    inside[1, 12:], inside[1, :, 17:] = False, False
    found = OnlineLabels(0.6, 0.2, None)(maps, labels, inside, None)
    for index in range(6):
        expected = naive_mask(maps[index], labels[index].tolist(), inside[index], 0.6, 0.2)
        assert torch.equal(found[index], expected), index
    assert not found[2].any() and (found[3] == IGNORE).all() and (found[4] == IGNORE).all()
    assert {0, 1, 2, IGNORE} == set(found[0].unique().tolist())
    assert 0 not in found[5] and 1 in found[5]
    assert 2 not in found[1] and (found[1][~inside[1]] == IGNORE).all()


@pytest.mark.parametrize('low, high', [(0.6, 0.5), (0, 0.5), (0.5, 1), (-1, 2)])
def test_thresholds_in_a_wrong_order_are_refused(low, high):
    with pytest.raises(UserError, match='thresholds must be 0 < low <= high < 1'):
        build(labels=dict(low=low, high=high))


@pytest.mark.parametrize('to_rgb', [True, False])
def test_a_refiner_sees_the_pictures_and_decides_about_the_masks(to_rgb):
    seen = []

    def invert(image, scores, present):
        seen.append(image)
        return 1 - scores

    classifier = tiny_model(1)
    classifier['data_preprocessor']['to_rgb'] = to_rgb
    model, data = build(classifier, labels=dict(refine=invert)), batch()
    plain = OnlineLabels(**PLAIN)
    found = labels_of(model, data)
    inputs = prepared(model, data)['inputs']
    maps = model.learner.head.class_maps(model.extract_feat(inputs))
    scores = normalize_cams(resize_maps(maps.relu(), (32, 40)), 'max')[:, 0]
    assert not found[0].any() and not found[2].any()
    for place, image in zip((1, 3), seen, strict=True):
        assert (torch.from_numpy(image).permute(2, 0, 1).flip(0) == data['inputs'][place]).all()
        assert torch.equal(found[place] == 1, 1 - scores[place] > plain.high)


def test_par_is_what_refines_by_default():
    model = build(labels={})
    losses_of(model)
    assert isinstance(model.labels._refiner, PAR)


def test_padding_is_not_learned_from():
    model = build(data_preprocessor=dict(size_divisor=32))
    found = labels_of(model, batch(labels=(0, 1), size=(32, 40)))
    assert found.shape == (2, 32, 64)
    assert (found[:, :, 40:] == IGNORE).all() and not found[0, :, :40].any()


def test_a_mask_that_a_sample_brings_is_what_the_decoder_learns():
    model, mask = build(), torch.randint(0, 2, (32, 40))
    mask[0] = IGNORE
    data = batch()
    data['data_samples'][1].gt_sem_seg = PixelData(data=mask[None])
    found, without = labels_of(model, data), labels_of(model, batch())
    assert torch.equal(found[1], mask) and not torch.equal(without[1], mask)
    assert not found[0].any()


def test_an_unlabelled_image_gives_nothing_and_a_clear_one_background():
    model = build()
    losses = losses_of(model, batch(labels=(NAN, NAN)))
    assert losses['loss_cls'] == 0 and losses['decode.loss_ce'] == 0
    assert losses['labels.open'] == 1
    losses = losses_of(model, batch(labels=(0, 0, NAN, NAN)))
    assert losses['loss_cls'] > 0 and losses['decode.loss_ce'] > 0
    assert losses['labels.open'] == 0.5 and losses['labels.foreground'] == 0
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(one.grad.isfinite().all() for one in model.parameters())


@pytest.mark.parametrize('kind', ['classifier', 'distiller'])
def test_the_classifier_s_losses_are_its_own(kind):
    classifier = tiny_model(1) if kind == 'classifier' else DISTILLER
    model, data = build(classifier), batch()
    alone = copy.deepcopy(model.classifier)
    losses = losses_of(model, data)
    expected = alone.loss(**prepared(model, data))
    expected['loss_cls'] = expected.pop('loss', expected.get('loss_cls'))
    for name, value in expected.items():
        assert torch.equal(losses[name], value), name
    new = losses.keys() - expected.keys()
    assert new == {'decode.loss_ce', 'decode.acc_seg', 'labels.foreground', 'labels.open'}


def test_every_network_sees_a_batch_once():
    model, calls = build(DISTILLER, labels={}), []
    for net in (model.classifier.student, model.classifier.teacher):
        net.backbone.register_forward_hook(lambda net, *_: calls.append(net))
    losses_of(model)
    assert calls == [model.classifier.student.backbone, model.classifier.teacher.backbone]


def test_the_decoder_waits_for_the_end_of_the_warm_up():
    model = build(warm_up=2)
    for step in range(1, 5):
        model.zero_grad()
        losses = losses_of(model)
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        learned = [bool(one.grad.any()) for one in model.decode_head.parameters()]
        assert model.steps == step and any(learned) == (step > 2)
        assert (losses['decode.loss_ce'] > 0) == (step > 2)
        assert all(one.grad is not None for one in model.parameters())
    model.eval()
    losses_of(model)
    assert model.steps == 4
    assert losses_of(build(mode=False, warm_up=9))['decode.loss_ce'] > 0


def test_a_share_of_the_steps_is_of_those_of_the_training(caplog):
    with pytest.raises(UserError, match='is a share of a training, of which only a Runner knows'):
        losses_of(build(warm_up=0.5))
    MessageHub.get_instance('a training').update_info('max_iters', 4)
    model = build(warm_up=0.5)
    begun = [bool(losses_of(model)['decode.loss_ce'] > 0) for _ in range(4)]
    assert begun == [False, False, True, True]


@pytest.mark.parametrize('warm_up, warns', [(3, False), (4, True)])
def test_a_warm_up_as_long_as_the_training_is_warned_of(warm_up, warns, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmsmoke.models.segmentors.single_stage.print_log',
        lambda text, logger, level: said.append((text, level)),
    )
    MessageHub.get_instance('a training').update_info('max_iters', 4)
    model = build(warm_up=warm_up)
    losses_of(model)
    losses_of(model)
    assert len(said) == warns
    if warns:
        assert 'the decoder will learn nothing' in said[0][0] and said[0][1] == logging.WARNING


def squares(count, size=48, side=20):
    """Every second picture has a bright square somewhere; return also where, [B, H, W]."""
    dice = torch.Generator().manual_seed(2)
    images = torch.randint(0, 100, (count, 3, size, size), generator=dice)
    truth, samples = torch.zeros(count, size, size, dtype=torch.bool), []
    for number, (image, place) in enumerate(zip(images, truth, strict=True)):
        top, left = torch.randint(0, size - side, (2,), generator=dice).tolist()
        if number % 2:
            place[top : top + side, left : left + side] = True
        image += 150 * place
        samples.append(WeakSegDataSample().set_gt_score(torch.tensor([float(number % 2)])))
    return dict(inputs=list(images.byte()), data_samples=samples), truth


def test_both_learn_from_labels_alone():
    classifier = tiny_model(1)  # by batch norm it could tell images apart without a look at places
    classifier['backbone']['norm_cfg'] = dict(type='GN', num_groups=2)
    model = build(classifier, head=dict(norm_cfg=None), labels={}, warm_up=20)
    data, truth = squares(12)
    optimizer = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-2))
    wrapper = build_optim_wrapper(model, optimizer)
    logged = [model.train_step(copy.deepcopy(data), wrapper) for _ in range(35)]
    assert logged[-1]['loss_cls'] < 0.3 * logged[0]['loss_cls']
    assert logged[-1]['decode.loss_ce'] < 0.7 * logged[20]['decode.loss_ce']
    with torch.no_grad():
        inputs = model.eval().data_preprocessor(copy.deepcopy(data))['inputs']
        found = resize_maps(model(inputs), truth.shape[1:]).argmax(1) > 0
    assert found[::2].float().mean() < 0.02
    both, either = (found & truth)[1::2], (found | truth)[1::2]
    assert (both.sum((1, 2)) / either.sum((1, 2))).mean() > 0.4


def test_predictions_are_those_of_mmseg_s_segmentor_with_these_weights():
    model = build(mode=False)
    plain = segmentor()
    plain['decode_head'] = {**plain['decode_head'], **single()['decode_head'], 'in_index': -1}
    plain['data_preprocessor'] = dict(
        type='SegDataPreProcessor', mean=[128] * 3, std=[64] * 3, bgr_to_rgb=True
    )
    plain = MODELS.build(ConfigDict(plain)).eval()
    weights = {
        name.removeprefix('classifier.'): value for name, value in model.state_dict().items()
    }
    assert set(plain.load_state_dict(weights, strict=False).missing_keys) == set()
    data = dict(inputs=batch()['inputs'])
    for mode in (dict(mode='whole'), dict(mode='slide', crop_size=(16, 24), stride=(8, 8))):
        model.test_cfg = plain.test_cfg = ConfigDict(mode)
        with torch.no_grad():
            ours, theirs = (
                one.test_step(copy.deepcopy(dict(data, data_samples=samples())))
                for one in (model, plain)
            )
        for one, other in zip(ours, theirs, strict=True):
            assert torch.equal(one.seg_logits.data, other.seg_logits.data)
            assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)


def samples():
    meta = dict(ori_shape=(32, 40), img_shape=(32, 40))
    return [WeakSegDataSample(metainfo=dict(meta)) for _ in range(4)]


def test_what_only_training_needs_can_be_dropped():
    model = build(DISTILLER, mode=False, ema=0.9)
    inputs = torch.randn(2, 3, 32, 40)
    before = model(inputs)
    model.forget_training()
    names = {name.split('.')[0] for name in model.state_dict()}
    assert names == {'classifier', 'decode_head', 'steps'}
    assert not any('teacher' in name for name in model.state_dict())
    assert torch.equal(model(inputs), before)


def test_labels_come_from_the_average_of_the_network():
    model = build(ema=0.9)
    fast = model.learner.head.classifier.weight
    expected = None
    for step in range(3):
        with torch.no_grad():
            fast += step
        losses_of(model)
        expected = fast.clone() if step == 0 else 0.9 * expected + 0.1 * fast
        slow = model.average['learner'].head.classifier.weight
        torch.testing.assert_close(slow, expected)
    assert not model.average.training and not slow.requires_grad
    before = labels_of(model)
    with torch.no_grad():
        fast.fill_(-1)  # empties the maps of the network itself
    assert torch.equal(labels_of(model), before)
    with torch.no_grad():
        slow.fill_(-1)
    assert (labels_of(model)[1] == IGNORE).all()


def test_an_average_keeps_no_copy_of_further_losses():
    classifier = dict(TWO_OUTPUTS, aux=[dict(type='mmsmoke.FalsePositiveLoss')])
    model = build(classifier, ema=0.9, auxiliary=AUXILIARY)
    assert any('.aux.' in name for name in model.state_dict())
    assert not any('.aux.' in name for name in model.average.state_dict())
    losses_of(model)
    assert {name.split('.')[0] for name in model.average.state_dict()} == {'learner', 'auxiliary'}


@pytest.mark.parametrize('index', [0, -2])
def test_an_auxiliary_head_classifies_and_makes_the_labels(index):
    model = build(TWO_OUTPUTS, auxiliary=dict(AUXILIARY, index=index))
    with torch.no_grad():
        model.auxiliary.classifier.weight.abs_()
    losses = losses_of(model)
    losses['loss_auxiliary'].backward()
    assert model.auxiliary.classifier.weight.grad.any()
    before = labels_of(model)
    assert (before[1] == 1).any()
    with torch.no_grad():
        model.learner.head.classifier.weight.fill_(-1)
        assert torch.equal(labels_of(model), before)
        model.auxiliary.classifier.weight.fill_(-1)
    assert (labels_of(model)[1] == IGNORE).all()


@pytest.mark.parametrize('index', [1, -1, 5, -3])
def test_an_auxiliary_head_needs_an_earlier_output(index):
    with pytest.raises(UserError, match=f'index={index} is no earlier output: the backbone gives'):
        losses_of(build(TWO_OUTPUTS, auxiliary=dict(AUXILIARY, index=index)))


def test_several_views_make_other_labels_and_leave_statistics_alone():
    views = dict(recipe='irn', scales=(0.5, 1, 1.5))
    model, data = build(labels=dict(PLAIN, views=views)), batch()
    statistics = copy.deepcopy(
        {name: one for name, one in model.named_buffers() if 'running' in name}
    )
    data = prepared(model, data)
    with torch.no_grad():
        feats = tuple(one * 0 for one in model.extract_feat(data['inputs'].clone()))
    before = {name: one.clone() for name, one in model.named_buffers() if 'running' in name}
    assert before.keys() == statistics.keys()
    found = model.make_labels(data['inputs'], feats, data['data_samples'])
    for name, one in model.named_buffers():
        if 'running' in name:
            assert torch.equal(one, before[name]), name
    assert not found[0].any() and len(found[1].unique()) > 1  # not made of features of zero
    assert not torch.equal(found, labels_of(build(), batch()))


def test_views_without_settings_are_those_of_the_default_recipe():
    assert OnlineLabels(views={}).views.scales == (0.5, 1, 1.5, 2)


def test_mixed_precision_gives_finite_float32_losses():
    model = build(DISTILLER, labels={}, ema=0.9)
    with torch.autocast('cpu', torch.bfloat16):
        losses = losses_of(model)
    for name, value in losses.items():
        assert value.isfinite() and ('loss' not in name or value.dtype == torch.float32), name


def test_several_classes_have_masks_of_their_own():
    model = build(tiny_model(2), head=dict(num_classes=3))
    data = batch(labels=(0, 1))
    labels = torch.eye(2)
    data['data_samples'] = [WeakSegDataSample().set_gt_score(one) for one in labels]
    with torch.no_grad():
        model.learner.head.classifier.weight.abs_()
    found = labels_of(model, data)
    assert 1 in found[0] and 2 not in found[0] and 2 in found[1] and 1 not in found[1]


REFUSED = {
    'computes features by itself': dict(
        classifier=dict(tiny_model(1), type='mmsmoke.ACRClassifier')
    ),
    'LinearClsHead has no class maps': dict(
        classifier=dict(
            tiny_model(1),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=1, in_channels=8),
        )
    ),
    'not by GradCAM': dict(classifier=dict(tiny_model(1), cam=dict(type='mmsmoke.GradCAM'))),
    'decode_head.num_classes is 3; the classifier has 1': dict(head=dict(num_classes=3)),
    'warm_up must be a number of steps, or a share': dict(warm_up=1.5),
    'ema must be between 0 and 1': dict(ema=1),
    'data_preprocessor.mean is that of the classifier': dict(data_preprocessor=dict(mean=[0] * 3)),
}


@pytest.mark.parametrize('message', REFUSED)
def test_what_cannot_be_is_refused(message):
    with pytest.raises(UserError, match=message):
        build(**REFUSED[message])


def test_images_without_labels_are_refused():
    data = batch()
    data['data_samples'][2] = WeakSegDataSample()
    with pytest.raises(UserError, match='images come without labels, from which'):
        losses_of(build(), data)


def test_a_refiner_stays_in_the_process_and_needs_no_names():
    crf = OnlineLabels(refine='crf:translucent')
    maps, inside = torch.rand(2, 1, 8, 8), torch.ones(2, 16, 16, dtype=torch.bool)
    pictures = [np.zeros((16, 16, 3), np.uint8)] * 2
    crf(maps, torch.ones(2, 1), inside, lambda: pictures)
    assert crf._refiner.crf.workers == 1 and crf._refiner.crf._pool is None

    class Named:
        needs_labels = True

    with pytest.raises(UserError, match='Named has to know the names of the classes'):
        OnlineLabels(refine=Named())(maps, torch.ones(2, 1), inside, lambda: pictures)
