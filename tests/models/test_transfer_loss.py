from itertools import product

import pytest
import torch

from mmsmoke.functional import transfer_distance
from mmsmoke.models import GlobalCosineTransferLoss, TransferLoss
from mmsmoke.registry import MODELS


def maps(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def two_maps(*shape):
    return maps(*shape, seed=1), maps(*shape, seed=2)


@pytest.mark.parametrize(
    'options',
    [
        *(
            dict(level=level, metric=metric)
            for level, metric in product(
                ('global', 'spatial', 'channel', 'map', 'gram'), ('cosine', 'l1', 'l2')
            )
        ),
        dict(level='channel', pairs='matched'),
        dict(metric='kl'),
        dict(center=True),
        dict(),
    ],
    ids=str,
)
def test_it_is_the_weighted_distance(options):
    student, teacher = two_maps(2, 3, 4, 4)
    value = TransferLoss(**options, loss_weight=0.3)(student, teacher)
    torch.testing.assert_close(value, 0.3 * transfer_distance(student, teacher, **options))


def test_without_a_weight_it_is_the_distance():
    student, teacher = two_maps(2, 3, 4, 4)
    assert torch.equal(TransferLoss()(student, teacher), transfer_distance(student, teacher))


@pytest.mark.parametrize('shape', [(2, 3, 4, 4), (2, 3)])
@pytest.mark.parametrize('build', [TransferLoss, GlobalCosineTransferLoss])
def test_foreground_leaves_the_last_channel_of_both_maps_out(build, shape):
    student, teacher = two_maps(*shape)
    loss = build(channels='fg')
    value = loss(student, teacher)
    assert torch.equal(value, transfer_distance(student[:, :2], teacher[:, :2]))
    for x in (student, teacher):
        before = build()(student, teacher)
        x[:, -1] += 5
        assert torch.equal(loss(student, teacher), value)
        assert not torch.equal(build()(student, teacher), before)


def test_foreground_needs_a_second_channel():
    with pytest.raises(ValueError, match=r"channels='fg' .* only one channel: take channels='all'"):
        TransferLoss(channels='fg')(*two_maps(2, 1, 4, 4))


@pytest.mark.parametrize('options', [dict(), dict(channels='fg'), dict(center=True)], ids=str)
def test_the_preset_is_global_cosine(options):
    student, teacher = two_maps(2, 3, 4, 4)
    preset = GlobalCosineTransferLoss(**options, loss_weight=2)
    loss = TransferLoss('global', 'cosine', **options, loss_weight=2)
    assert torch.equal(preset(student, teacher), loss(student, teacher))


def test_gradients_reach_both_maps_unless_detached():
    student, teacher = (x.requires_grad_() for x in two_maps(2, 3, 4, 4))
    for gradient in torch.autograd.grad(TransferLoss()(student, teacher), (student, teacher)):
        assert gradient.abs().sum() > 0
    TransferLoss()(student, teacher.detach()).backward()
    assert student.grad is not None and teacher.grad is None


@pytest.mark.parametrize('name', ['TransferLoss', 'GlobalCosineTransferLoss'])
@pytest.mark.usefixtures('mmpretrain_scope')
def test_configs_find_it_and_read_its_choices(name):
    loss = MODELS.build(dict(type=f'mmsmoke.{name}', channels='fg', loss_weight=0.8))
    assert (loss.channels, loss.loss_weight) == ('fg', 0.8)
    assert not list(loss.parameters())
    for text in ("level='global'", "metric='cosine'", "channels='fg'", 'loss_weight=0.8'):
        assert text in repr(loss)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(level='pixel'), 'level must be one of .*pixel'),
        (dict(metric='mse'), 'metric must be one of .*mse'),
        (dict(pairs='own'), 'pairs must be one of .*own'),
        (dict(channels='bg'), 'channels must be one of all, fg, got .bg'),
        (dict(level='map', metric='kl'), 'kl compares logits'),
    ],
)
def test_wrong_choices_are_refused_when_it_is_built(options, message):
    with pytest.raises(ValueError, match=message):
        TransferLoss(**options)
