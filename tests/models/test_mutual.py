"""Two one-stage segmentors that teach each other."""

import copy

import pytest
import torch
from label_runs import tiny_model
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from test_single_stage import batch, prepared
from tiny_segmentor import mutual, single

from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        torch.manual_seed(0)
        yield


def build(mode=True, **others):
    model = MODELS.build(ConfigDict({**mutual(), **others}))
    model.init_weights()
    return model.train(mode)


def normalised(net, data):
    return net.data_preprocessor(copy.deepcopy(data), training=True)['inputs']


def test_each_decoder_learns_the_masks_of_the_other():
    model, data = build(), batch()
    model.eval()
    losses = model(**prepared(model, data), mode='loss')
    nets, names = (model.first, model.second), ('first', 'second')
    inputs = [normalised(net, data) for net in nets]
    assert not torch.allclose(*inputs)
    samples = prepared(model, data)['data_samples']
    feats = [net.extract_feat(one) for net, one in zip(nets, inputs, strict=True)]
    masks = [
        net.make_labels(one, seen, samples)
        for net, one, seen in zip(nets, inputs, feats, strict=True)
    ]
    assert not torch.equal(*masks)
    for one, other, name in ((0, 1, 'first'), (1, 0, 'second')):
        expected = nets[one].decode(feats[one], masks[other])
        assert expected['decode.loss_ce'] > 0
        for key, value in expected.items():
            torch.testing.assert_close(losses[f'{name}.{key}'], value)
    assert {name.split('.')[0] for name in losses} == {*names, 'loss_discrepancy'}


def test_the_discrepancy_is_one_and_the_cosine_of_the_maps_of_present_classes():
    model, data = build(discrepancy=0.5), batch()
    losses = model(**prepared(model, data), mode='loss')
    maps = [
        net.learner.head.class_maps(net.extract_feat(normalised(net, data)))
        for net in (model.first, model.second)
    ]
    cosines = [
        torch.cosine_similarity(one.flatten(), other.flatten(), 0) if present else 0
        for one, other, present in zip(*maps, (0, 1, 0, 1), strict=True)
    ]
    expected = 0.5 * 2 * (1 + sum(cosines) / 4)
    torch.testing.assert_close(losses['loss_discrepancy'], expected)
    losses['loss_discrepancy'].backward()
    for net in (model.first, model.second):
        assert net.learner.head.classifier.weight.grad.any()
    assert 'loss_discrepancy' not in build(discrepancy=0)(**prepared(model, data), mode='loss')


def test_decoders_wait_for_the_end_of_their_own_warm_up():
    model = build(first=single(warm_up=1))
    first, second = (model(**prepared(model), mode='loss') for _ in range(2))
    assert first['first.decode.loss_ce'] == 0 and first['second.decode.loss_ce'] > 0
    assert second['first.decode.loss_ce'] > 0


def test_predictions_are_those_of_one_or_the_mean_of_both():
    data = batch()
    meta = [dict(img_shape=(32, 40))] * 4
    model = build(mode=False)
    inputs = prepared(model, data)['inputs']
    alone = []
    for name in ('first', 'second'):
        net = getattr(model, name)
        alone.append(net.encode_decode(normalised(net, data), meta))
        one = build(mode=False, predict=name)
        one.load_state_dict(model.state_dict())
        torch.testing.assert_close(one.encode_decode(inputs, meta), alone[-1])
        one.forget_training()
        assert {key.split('.')[0] for key in one.state_dict()} == {name}
        torch.testing.assert_close(one.encode_decode(inputs, meta), alone[-1])
    mean = (alone[0].softmax(1) + alone[1].softmax(1)) / 2
    torch.testing.assert_close(model.encode_decode(inputs, meta).softmax(1), mean)
    torch.testing.assert_close(model(inputs).softmax(1), mean)


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match='predict'):
        build(predict='both')
    with pytest.raises(UserError, match='first has num_classes=3, second 2'):
        build(first=single(tiny_model(2), dict(num_classes=3)))
    sigmoid = dict(out_channels=1, threshold=0.5)
    with pytest.raises(UserError, match="predict='mean' needs a channel of the background"):
        build(first=single(head=sigmoid))
