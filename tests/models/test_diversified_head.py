import copy

import pytest
import torch
import torch.nn.functional as F
from test_cross_arch_distiller import CNN, VIT, batch

from mmsmoke.models import CAMHead, DiversifiedHead
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

LOSS = dict(type='mmsmoke.DisagreementLoss')


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(model=CNN, heads=2, **settings):
    model = copy.deepcopy(model)
    model['head'].update(type='mmsmoke.DiversifiedHead', heads=heads)
    return MODELS.build(dict(model, aux=[dict(LOSS, **settings)])).train()


def half_labelled():
    """Return eight images; the last four, of which two are bright, have no labels."""
    data = batch()
    for sample in data['data_samples'][4:]:
        sample.set_gt_score(torch.tensor([torch.nan]))
    return data


def losses_of(net, data=None):
    return net(**net.data_preprocessor(data or half_labelled()), mode='loss')


def test_the_head_that_is_put_first_is_a_cam_head():
    feats = (torch.randn(2, 8, 5, 7),)
    for pool in ('avg', 'max'):
        head = DiversifiedHead(num_classes=2, in_channels=8, heads=3, pool=pool, bias=True)
        before = head.all_logits(feats)
        for index in range(3):
            one = CAMHead(num_classes=2, in_channels=8, pool=pool, bias=True)
            mine = slice(2 * index, 2 * index + 2)
            one.classifier.weight.data = head.classifier.weight[mine].detach().clone()
            one.classifier.bias.data = head.classifier.bias[mine].detach().clone()
            head.put_first(index)
            torch.testing.assert_close(head.class_maps(feats), one.class_maps(feats))
            torch.testing.assert_close(head(feats), one(feats))
            head.put_first(index)
            torch.testing.assert_close(head.all_logits(feats), before)


def test_all_heads_learn_from_labels():
    head = DiversifiedHead(num_classes=1, in_channels=8, heads=3)
    feats = (torch.randn(2, 8, 5, 7),)
    labels = torch.tensor([[1.0], [0.0]])
    samples = [WeakSegDataSample().set_gt_score(one) for one in labels]
    loss = head.loss(feats, samples)['loss']
    logits = head.all_logits(feats)
    expected = F.binary_cross_entropy_with_logits(logits, labels[:, None].expand_as(logits))
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert head.classifier.weight.grad.flatten(1).any(1).all()


def test_the_head_learns_from_labelled_images_alone():
    data, net = half_labelled(), build().eval()
    inputs = net.data_preprocessor(data)
    feats = net.extract_feat(inputs['inputs'])[-1].detach().requires_grad_()
    losses = net.losses_of(inputs['inputs'], (feats,), inputs['data_samples'])
    expected = net.head.loss((feats[:4],), data['data_samples'][:4])
    torch.testing.assert_close(losses['loss'], expected['loss'])
    losses['loss'].backward()
    assert feats.grad[:4].flatten(1).any(1).all() and not feats.grad[4:].any()


def test_heads_are_pushed_apart_by_unlabelled_images_alone():
    data, net = half_labelled(), build().eval()
    inputs = net.data_preprocessor(data)
    feats = net.extract_feat(inputs['inputs'])[-1].detach().requires_grad_()
    loss = net.losses_of(inputs['inputs'], (feats,), inputs['data_samples'])['loss_disagreement']
    loss.backward()
    assert feats.grad[4:].flatten(1).any(1).all() and not feats.grad[:4].any()


def test_nearly_equal_heads_end_apart():
    head = DiversifiedHead(num_classes=1, in_channels=4)
    weight = torch.randn(1, 4, 1, 1)
    head.classifier.weight.data = torch.cat([weight, weight + 0.01 * torch.randn(1, 4, 1, 1)])
    net = torch.nn.Module()
    net.head = head
    loss = MODELS.build(dict(LOSS, classifier=net))
    feats, unknown = (2 * torch.randn(64, 4, 1, 1),), torch.full((64, 1), torch.nan)
    optimizer, found = torch.optim.SGD(head.parameters(), lr=0.1), []

    def apart():
        probability = head.all_logits(feats).sigmoid()[..., 0]
        return (probability[:, 0] - probability[:, 1]).abs().mean().item()

    before = apart()
    for _ in range(60):
        found.append(loss(net, None, feats, unknown)['loss_disagreement'])
        optimizer.zero_grad()
        found[-1].backward()
        optimizer.step()
    assert found[-1] < 0.1 * found[0] and apart() > 10 * before


def test_heads_of_different_groups_have_nothing_to_do_with_each_other():
    head = DiversifiedHead(num_classes=2, in_channels=4, heads=6)
    net = torch.nn.Module()
    net.head = head
    unknown, feats = torch.full((16, 2), torch.nan), (torch.randn(16, 4, 1, 1),)
    together = MODELS.build(dict(LOSS, classifier=net, groups=2))
    found = together(net, None, feats, unknown)['loss_disagreement']
    parts = []
    for rows in (slice(0, 6), slice(6, 12)):  # three heads of two classes each
        alone = torch.nn.Module()
        alone.head = DiversifiedHead(num_classes=2, in_channels=4, heads=3)
        alone.head.classifier.weight.data = head.classifier.weight.data[rows].clone()
        loss = MODELS.build(dict(LOSS, classifier=alone))
        parts.append(loss(alone, None, feats, unknown)['loss_disagreement'])
    torch.testing.assert_close(found, torch.stack(parts).mean())
    one = MODELS.build(dict(LOSS, classifier=net))(net, None, feats, unknown)
    assert (one['loss_disagreement'] - found).abs() > 1e-4


@pytest.mark.parametrize('model', [CNN, VIT], ids=['cnn', 'vit'])
@pytest.mark.parametrize('unlabelled', [0, 1, 4, 8])
def test_any_number_of_images_may_be_unlabelled(model, unlabelled):
    data, net = batch(), build(model, prior=0.5)
    for sample in data['data_samples'][8 - unlabelled :]:
        sample.set_gt_score(torch.tensor([torch.nan]))
    losses = losses_of(net, data)
    assert all(value.isfinite() for value in losses.values())
    assert (losses['loss'] == 0) == (unlabelled == 8)
    assert (losses['loss_disagreement'] > 0) == (unlabelled > 1)
    assert ('loss_prior' in losses) == (unlabelled > 1)
    sum(losses.values()).backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in net.parameters())


@pytest.mark.parametrize('head', ['CAMHead', 'CLSHead', 'PCMHead'])
def test_other_heads_leave_unlabelled_images_out_too(head):
    from test_cross_arch_distiller import PCM, VIT_CLS

    model = dict(CAMHead=CNN, CLSHead=VIT_CLS, PCMHead=PCM)[head]
    net = MODELS.build(copy.deepcopy(model)).eval()
    data = half_labelled()
    labelled = dict(inputs=data['inputs'][:4], data_samples=data['data_samples'][:4])
    torch.testing.assert_close(losses_of(net, data)['loss'], losses_of(net, labelled)['loss'])


def test_a_prior_draws_the_mean_prediction_to_it():
    few, many = (build(prior=share, loss_weight=0) for share in (0.05, 0.95))
    many.load_state_dict(few.state_dict())
    data = half_labelled()
    for net in (few, many):
        optimizer = torch.optim.SGD(net.head.parameters(), lr=1.0)
        for _ in range(40):
            optimizer.zero_grad()
            losses_of(net.eval(), data)['loss_prior'].backward()
            optimizer.step()
    inputs = few.data_preprocessor(data)['inputs'][4:]
    low, high = (net(inputs, mode='tensor').sigmoid().mean() for net in (few, many))
    assert low < 0.2 and high > 0.8


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(heads=1), 'heads must be at least 2'),
        (dict(background=True), 'has no background channel'),
    ],
)
def test_heads_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        DiversifiedHead(num_classes=1, in_channels=8, **settings)


def test_a_single_head_cannot_disagree():
    with pytest.raises(UserError, match=r'needs a head of the type .*DiversifiedHead'):
        MODELS.build(dict(copy.deepcopy(CNN), aux=[LOSS]))


@pytest.mark.parametrize('groups', [0, -1, 2, 3])
def test_groups_are_of_several_heads_each(groups):
    with pytest.raises(UserError, match=f'3 heads are not {groups} groups of several heads'):
        build(heads=3, groups=groups)


def test_a_prior_is_a_share():
    with pytest.raises(UserError, match='prior must be between 0 and 1, got 1'):
        build(prior=1)
