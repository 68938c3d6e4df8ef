"""Losses and predictions of every network of the model room, on a GPU that is not there."""

import copy

import pytest
import tiny_models
import torch
from fake_cuda import PRECISIONS, devices_of, fake_cuda, on_cpu
from mmengine.structures import PixelData
from tiny_models import AFFINITY_NETS, CLASSIFIERS, SEGMENTORS, VIEWS, batch, without_masks

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')

TRAINED = {**CLASSIFIERS, **AFFINITY_NETS, **SEGMENTORS}


@pytest.fixture
def build(monkeypatch, tmp_path):
    """Function that builds a network; caches lie in a folder of the test.

    In place of the gradient of an activation, which needs a backward pass, is the activation.
    """

    def activations_themselves(logits, activations, *_, **__):
        return [one.detach().expand(logits.shape[1], *one.shape) for one in activations]

    grad = 'mmsmoke.models.cams.grad_cam.torch.autograd.grad'
    monkeypatch.setattr(grad, activations_themselves)
    monkeypatch.chdir(tmp_path)
    return lambda name: tiny_models.build(name, copy.deepcopy({**TRAINED, **VIEWS}[name]))


def losses_of(net):
    torch.manual_seed(0)
    data = without_masks(batch()) if hasattr(net, 'forget_training') else batch()
    return net.train()(**net.data_preprocessor(data, training=True), mode='loss')


@torch.no_grad()
def predictions_of(net, data):
    """Return what a network says of each picture, by name."""
    found = net.eval().test_step(data)
    return [found] if isinstance(found, dict) else [answers_of(sample) for sample in found]


def answers_of(sample):
    """Return the tensors of a sample but for its truth, of which the mask stays on the CPU."""
    answers = {key: value for key, value in sample.items() if not key.startswith('gt_')}
    data = {
        key: value.data if isinstance(value, PixelData) else value for key, value in answers.items()
    }
    return {key: value for key, value in data.items() if isinstance(value, torch.Tensor)}


def close(found, expected, precision):
    error = {None: 1e-4, torch.float16: 2e-2, torch.bfloat16: 0.15}[precision]
    torch.testing.assert_close(on_cpu(found), expected, rtol=error, atol=error)


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('name', TRAINED)
def test_losses_are_float32_on_the_gpu_and_those_of_a_cpu(name, precision, build):
    expected = losses_of(build(name))
    net = build(name)
    with fake_cuda(precision):
        found = losses_of(net.to('cuda'))
        assert devices_of(found) == {'cuda'}
        close(found, expected, precision)


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('name', {**CLASSIFIERS, **AFFINITY_NETS})
def test_maps_are_float32_on_the_gpu_and_those_of_a_cpu(name, precision, build):
    expected = predictions_of(build(name), batch())
    net = build(name)
    with fake_cuda(precision):
        found = predictions_of(net.to('cuda'), batch())
        assert devices_of(found) == {'cuda'}
        close(found, expected, precision)


def views():
    data = batch()
    return dict(
        inputs=[[image, image.flip(-1)] for image in data['inputs']],
        data_samples=[[flipped(one, False), flipped(one, True)] for one in data['data_samples']],
    )


def flipped(sample, flip):
    sample = copy.deepcopy(sample)
    sample.set_metainfo(dict(flip=flip, flip_direction='horizontal'))
    return sample


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('name', {**SEGMENTORS, **VIEWS})
def test_a_segmentor_answers_on_the_gpu(name, precision, build):
    data = views if name in VIEWS else batch
    expected = predictions_of(build(name), data())
    net = build(name)
    with fake_cuda(precision):
        found = predictions_of(net.to('cuda'), data())
        assert devices_of(found) == {'cuda'}
        for one, other in zip(found, expected, strict=True):
            agreeing = on_cpu(one['pred_sem_seg']) == other['pred_sem_seg']
            assert agreeing.float().mean() > (0.99 if precision is None else 0.9)
            logits = one['seg_logits'].float(), other['seg_logits']
            close(*logits, precision)


@pytest.mark.parametrize('name', TRAINED)
def test_every_parameter_that_learns_has_a_gradient(name, build, monkeypatch):
    """Several GPUs wait for each other's gradients: one that never comes is an error there."""
    net = build(name)
    monkeypatch.undo()
    sum(value for key, value in losses_of(net).items() if 'loss' in key).backward()
    idle = [key for key, one in net.named_parameters() if one.requires_grad and one.grad is None]
    assert not idle
