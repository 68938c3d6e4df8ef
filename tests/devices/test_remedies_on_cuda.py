"""Centres of regions, and losses of unlabelled images, on a GPU that is not there."""

import copy
import logging
from types import SimpleNamespace

import pytest
import tiny_models
import torch
from fake_cuda import PRECISIONS, devices_of, fake_cuda, on_cpu
from tiny_models import CLASSIFIERS, FPR, STUDENT, batch

from mmsmoke.engine.hooks import FalsePositiveCentresHook

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')

CLIP_LOSSES = dict(
    clip_loss=dict(type='mmsmoke.ClipLoss'),
    aux=[dict(type='mmsmoke.ColorConsistencyLoss'), dict(type='mmsmoke.StaticBackgroundLoss')],
)
TRIED = (
    'FalsePositiveCentresHook', 'ClipLoss', 'ColorConsistencyLoss', 'StaticBackgroundLoss',
)  # fmt: skip


def losses_of(net, data):
    torch.manual_seed(0)
    return net.train()(**net.data_preprocessor(data), mode='loss')


def labelled(*labels):
    data = batch()
    for sample, label in zip(data['data_samples'], labels, strict=True):
        sample.set_gt_score(torch.tensor([label] * 2))
    return data


def renew(net, data):
    """Let the hook look for centres in one batch; return the losses with them."""
    hook, logger = FalsePositiveCentresHook(begin=0), logging.getLogger('nobody')
    hook.before_train_epoch(
        SimpleNamespace(epoch=0, seed=0, model=net, train_dataloader=[data], logger=logger)
    )
    return losses_of(net, data), net.aux[0].centres


@pytest.mark.parametrize('network', [CLASSIFIERS['cnn'], STUDENT], ids=['cnn', 'vit'])
def test_centres_lie_on_the_gpu_and_are_those_of_a_cpu(network):
    data = labelled(1.0, 0.0, 1.0)

    def build():
        net = tiny_models.build('', dict(copy.deepcopy(network), aux=[FPR]))
        with torch.no_grad():
            net.head.classifier.weight.normal_().abs_()
        return net

    expected = renew(build(), data)
    assert expected[0].keys() == {'loss', 'loss_fpr_region', 'loss_fpr_pixel'}
    net = build()
    with fake_cuda():
        found = renew(net.to('cuda'), labelled(1.0, 0.0, 1.0))
        assert devices_of(found) == {'cuda'}
        torch.testing.assert_close(on_cpu(found), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('name', ['two_heads', 'two_heads_of_vit', 'crops', 'pcm'])
def test_unlabelled_images_are_left_out_on_the_gpu(name, precision):
    labels = 1.0, torch.nan, torch.nan
    expected = losses_of(
        tiny_models.build(name, copy.deepcopy(CLASSIFIERS[name])), labelled(*labels)
    )
    net = tiny_models.build(name, copy.deepcopy(CLASSIFIERS[name]))
    with fake_cuda(precision):
        found = losses_of(net.to('cuda'), labelled(*labels))
        assert devices_of(found) == {'cuda'}
        error = {None: 1e-4, torch.float16: 2e-2, torch.bfloat16: 0.15}[precision]
        torch.testing.assert_close(on_cpu(found), expected, rtol=error, atol=error)


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('network', [CLASSIFIERS['cnn'], STUDENT], ids=['cnn', 'vit'])
def test_losses_of_a_clip_are_those_of_a_cpu(network, precision):
    def clip():
        data = labelled(1.0, 1.0, 1.0)
        for number, sample in enumerate(data['data_samples']):
            sample.set_gt_label([0, 1])
            sample.set_metainfo(dict(image=f'{number}.png', columns=dict(clip='a')))
        return data

    network = dict(network, **CLIP_LOSSES)
    expected = losses_of(tiny_models.build('', copy.deepcopy(network)), clip())
    assert expected.keys() == {'loss', 'loss_color', 'loss_static'}
    net = tiny_models.build('', copy.deepcopy(network))
    with fake_cuda(precision):
        found = losses_of(net.to('cuda'), clip())
        assert devices_of(found) == {'cuda'}
        error = {None: 1e-4, torch.float16: 2e-2, torch.bfloat16: 0.15}[precision]
        torch.testing.assert_close(on_cpu(found), expected, rtol=error, atol=error)
