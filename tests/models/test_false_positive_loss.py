import copy

import pytest
import torch
from test_cross_arch_distiller import CNN, PCM, VIT, VIT_CLS, batch

from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(model=CNN, **settings):
    aux = [dict(type='mmsmoke.FalsePositiveLoss', **settings)]
    net = MODELS.build(dict(copy.deepcopy(model), aux=aux))
    with torch.no_grad():  # so that all images have a region
        net.head.classifier.weight.normal_().abs_()
        if net.head.classifier.bias is not None:
            net.head.classifier.bias.fill_(3)
    return net.train()


def losses_of(net, data=None):
    return net(**net.data_preprocessor(data or batch()), mode='loss')


def collect(net, *batches):
    (loss,) = net.aux
    loss.begin(seed=0)
    for data in batches or [batch()]:
        assert losses_of(net, data).keys() == {'loss'}
    kept = loss.kept
    loss.finish()
    return kept


@pytest.mark.parametrize('model', [CNN, PCM, VIT, VIT_CLS], ids=['cnn', 'pcm', 'vit', 'vit_cls'])
def test_every_classifier_can_have_it(model):
    net = build(model)
    collect(net.eval())
    found = losses_of(net.train())
    assert found.keys() == {'loss', 'loss_fpr_region', 'loss_fpr_pixel'}
    assert found['loss_fpr_region'] > 0
    sum(found.values()).backward()
    assert all(one.grad is not None for one in net.parameters())


def test_nothing_changes_before_there_are_centres():
    data = batch()
    plain = MODELS.build(copy.deepcopy(CNN)).train()
    net = build()
    plain.load_state_dict(net.state_dict(), strict=False)
    ours, theirs = losses_of(net, data), losses_of(plain, data)
    assert ours.keys() == theirs.keys() and torch.equal(ours['loss'], theirs['loss'])


def test_weights_are_those_of_the_two_losses():
    data, net = batch(), build(region_weight=1.0, pixel_weight=1.0)
    collect(net.eval(), data)
    whole = losses_of(net, data)
    (loss,) = net.aux
    loss.region_weight, loss.pixel_weight = 0.12, 1.5e-4
    part = losses_of(net, data)
    torch.testing.assert_close(part['loss_fpr_region'], 0.12 * whole['loss_fpr_region'])
    torch.testing.assert_close(part['loss_fpr_pixel'], 1.5e-4 * whole['loss_fpr_pixel'])


def test_memory_is_bounded_and_the_hardest_clear_images_are_kept():
    net = build(most=5, hardest=3).eval()
    batches = [batch() for _ in range(6)]  # 24 images of either kind
    (positive,), (negative,) = collect(net, *batches)
    assert len(positive[0]) == len(positive[1]) == 5
    logits = []
    for data in batches:
        clean = net.data_preprocessor(data)
        found = net.head(net.extract_feat(clean['inputs']))[:, 0]
        labels = torch.stack([one.gt_score for one in clean['data_samples']])[:, 0]
        logits += found[labels == 0].tolist()
    assert negative[1].tolist() == pytest.approx(sorted(logits)[::-1][:3])


def test_regions_of_positive_images_are_a_fair_sample():
    net = build(most=8).eval()
    batches = [batch() for _ in range(8)]
    ((known, _),) = collect(net, *batches)[0]
    (first, _), (last, _) = collect(net, *batches[:2])[0][0], collect(net, *batches[-2:])[0][0]
    assert 0 < sum(any(torch.equal(one, other) for other in first) for one in known) < 8
    assert 0 < sum(any(torch.equal(one, other) for other in last) for one in known) < 8


def test_centres_are_of_what_was_kept():
    net = build(centres=3, most=1, hardest=2).eval()
    (positive,), (negative,) = collect(net)
    (loss,) = net.aux
    assert loss.counts.tolist() == [[1, 2]]
    torch.testing.assert_close(loss.centres[0, 0, :1], positive[0])
    assert {tuple(one) for one in loss.centres[1, 0, :2].tolist()} == {
        tuple(one) for one in negative[0].tolist()
    }
    assert not loss.centres[0, 0, 1:].any() and not loss.centres[1, 0, 2:].any()


def test_unlabelled_images_are_neither():
    data = batch()
    for sample in data['data_samples'][2:]:
        sample.set_gt_score(torch.tensor([torch.nan]))
    net = build().eval()
    (positive,), (negative,) = collect(net, data)
    assert len(positive[0]) == len(negative[0]) == 1
    assert all(value.isfinite() for value in losses_of(net.train(), data).values())


def test_checkpoints_hold_the_centres():
    net, other = build().eval(), build()
    collect(net)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other.aux[0].centres, net.aux[0].centres)
    assert torch.equal(other.aux[0].counts, net.aux[0].counts) and other.aux[0].counts.any()


def test_centres_that_are_found_again_replace_the_old_ones():
    net = build().eval()
    collect(net)
    before = net.aux[0].centres.clone()
    clear = batch()
    for sample in clear['data_samples']:
        sample.set_gt_score(torch.zeros(1))
    collect(net, clear)
    counts = net.aux[0].counts
    assert counts[0, 0] == 0 < counts[0, 1] and not torch.equal(net.aux[0].centres, before)
    assert losses_of(net).keys() == {'loss'}


@pytest.mark.parametrize('name', ['centres', 'most', 'hardest'])
def test_numbers_that_make_no_sense(name):
    with pytest.raises(UserError, match=f'{name} must be at least 1, got 0'):
        build(**{name: 0})
