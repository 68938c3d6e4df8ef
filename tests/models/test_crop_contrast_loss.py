import copy

import pytest
import torch
from test_cross_arch_distiller import CNN, PCM, VIT, VIT_CLS, batch

from mmsmoke.models.losses.crop_contrast_loss import follow, same_statistics
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

SMALL = dict(crops=3, crop_size=16, width=8, queue=40, start=0)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(model=CNN, **settings):
    aux = [dict(type='mmsmoke.CropContrastLoss', **{**SMALL, **settings})]
    net = MODELS.build(dict(copy.deepcopy(model), aux=aux))
    with torch.no_grad():  # so that all maps show something
        net.head.classifier.weight.normal_().abs_()
    return net.train()


def losses_of(net, data=None):
    return net(**net.data_preprocessor(data or batch()), mode='loss')


@pytest.mark.parametrize('model', [CNN, PCM, VIT, VIT_CLS], ids=['cnn', 'pcm', 'vit', 'vit_cls'])
def test_every_classifier_can_have_it(model):
    net = build(model)
    losses_of(net)
    found = losses_of(net)
    assert found.keys() == {'loss', 'loss_crops', 'loss_crops_prototype'}
    assert all(value > 0 for value in found.values())
    sum(found.values()).backward()
    learning = [one for one in net.parameters() if one.requires_grad]
    assert all(one.grad is not None for one in learning)
    assert all(one.grad.any() for one in net.aux[0].projection.parameters())


def test_nothing_is_cut_before_the_first_step_but_every_parameter_has_a_gradient():
    data, net = batch(), build(start=2)
    plain = MODELS.build(copy.deepcopy(CNN)).train()
    plain.load_state_dict(net.state_dict(), strict=False)
    for _ in range(2):
        ours, theirs = losses_of(net, data), losses_of(plain, data)
        assert torch.equal(ours['loss'], theirs['loss']) and ours['loss_crops'] == 0
        sum(ours.values()).backward()
        assert all(one.grad is not None for one in net.parameters() if one.requires_grad)
    assert (net.aux[0].queue_tags == -1).all()
    assert losses_of(net, data)['loss_crops'] > 0


def test_it_does_not_look_at_what_is_not_for_training():
    net = build().eval()
    assert losses_of(net).keys() == {'loss'} and net.aux[0].steps == 0


def test_the_average_begins_with_the_network_and_follows_by_the_stated_factor():
    net = build(momentum=0.9)
    (aux,) = net.aux
    with torch.no_grad():
        for one in net.parameters():
            one += 1  # what was built is not what is trained
    losses_of(net)
    first = copy.deepcopy(dict(aux.slow.named_parameters()))
    for name, one in first.items():
        assert torch.equal(one, net.get_parameter(name))
    with torch.no_grad():
        for one in (*net.backbone.parameters(), *net.head.parameters()):
            one.mul_(3)
    losses_of(net)
    for name, one in aux.slow.named_parameters():
        torch.testing.assert_close(one, 0.9 * first[name] + 0.1 * net.get_parameter(name))


def test_following_keeps_the_stated_part():
    slow, fast = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    torch.nn.init.constant_(fast.weight, 5)
    fast.running_mean.fill_(7)
    follow(slow, fast, 0.75)
    assert slow.weight.tolist() == [2, 2] and slow.running_mean.tolist() == [7, 7]


def test_statistics_of_whole_images_stay_what_they_are():
    net = build()
    norms = [one for one in net.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    before = [(one.momentum, one.running_mean.clone()) for one in norms]
    with same_statistics(net):
        net.extract_feat(torch.randn(2, 3, 16, 16))
    for one, (momentum, mean) in zip(norms, before, strict=True):
        assert one.momentum == momentum and torch.equal(one.running_mean, mean)


def maps_and_labels():
    """Return a map that is sure of the left half of image 0; image 1 is clear."""
    maps = torch.zeros(2, 1, 32, 32)
    maps[:, :, :, :16] = 1.0
    return maps, torch.tensor([[1.0], [0.0]])


def cut(maps, labels, **settings):
    inputs = torch.arange(32.0).expand(2, 3, 32, 32)  # a pixel's value is its column
    (aux,) = build(crops=40, **settings).aux
    crops, tags = aux.cut(inputs, maps, labels)
    assert crops.shape == (80, 3, aux.crop_size, aux.crop_size)
    return crops, tags


def test_tags_say_what_the_map_is_sure_of_in_a_crop():
    crops, tags = cut(*maps_and_labels(), crop_size=8)
    assert (tags[40:] == 0).all()  # a clear image is background, whatever its map
    left = crops[:40, 0, 0, 0]  # column of a crop's left side
    foreground = (16 - left).clamp(0, 8) / 8
    assert torch.equal(tags[:40] == 0, foreground <= 0.2)
    assert torch.equal(tags[:40] == 1, foreground > 0.2)
    assert 0 < (tags[:40] == 1).sum() < 40


def test_a_crop_without_anything_sure_is_left_out():
    maps, labels = maps_and_labels()
    maps[:, :, :, :16] = 0.5
    maps[:, :, 0, 31] = 1.0  # what the rest is measured by
    tags = cut(maps, labels, crop_size=8)[1][:40]
    assert (tags == -1).sum() > 20 and not (tags == 1).any()


def test_a_crop_of_two_classes_is_left_out():
    maps, _ = maps_and_labels()
    maps = torch.cat([maps, maps.flip(3)], 1)
    net = copy.deepcopy(CNN)
    net['head']['num_classes'] = 2
    (aux,) = build(net, crops=40, crop_size=8).aux
    inputs = torch.arange(32.0).expand(2, 3, 32, 32)
    crops, tags = aux.cut(inputs, maps, torch.ones(2, 2))
    left = crops[:, 0, 0, 0]
    assert (tags[left <= 8] == 1).all() and (tags[left >= 16] == 2).all()
    assert (tags[(left > 8) & (left < 16)] == -1).all()


def test_crops_lie_around_uncertain_places():
    maps, labels = maps_and_labels()
    maps[0, 0, :, 24:] = 0.5
    crops, _ = cut(maps, labels, crop_size=4)
    assert (crops[:40, 0, 0, 0] >= 22).all()
    assert (crops[40:, 0, 0, 0] < 16).any()  # of the clear image they lie anywhere


def test_an_image_whose_map_is_empty_has_no_tags():
    maps, labels = maps_and_labels()
    tags = cut(-maps, labels)[1]
    assert (tags[:40] == -1).all() and (tags[40:] == 0).all()


def test_unlabelled_images_have_no_tags():
    maps, labels = maps_and_labels()
    assert (cut(maps, torch.full_like(labels, torch.nan))[1] == -1).all()


def test_crops_are_no_larger_than_pictures():
    with pytest.raises(UserError, match='crop_size=33 is more than pictures of 32x32 have'):
        losses_of(build(crop_size=33))
    assert losses_of(build(crop_size=32))['loss_crops'].isfinite()


def test_the_queue_holds_the_newest_and_no_more():
    net = build(queue=40)
    (aux,) = net.aux
    keys = torch.randn(100, 8)
    aux._remember(keys[:24], torch.zeros(24, dtype=torch.long))
    aux._remember(keys[24:48], torch.ones(24, dtype=torch.long))
    assert torch.equal(aux.queue, torch.cat([keys[24:48], keys[:16]]))
    assert aux.queue_tags.tolist() == [1] * 24 + [0] * 16
    aux._remember(keys, torch.zeros(100, dtype=torch.long))
    assert torch.equal(aux.queue, keys[:40])


def test_prototypes_are_means_that_follow():
    (aux,) = build(prototype_momentum=0.5).aux
    kinds = torch.eye(8)
    aux._remember(kinds[:2], torch.tensor([1, -1]))
    assert aux.prototype_tags.tolist() == [-1, 1]  # there was no background yet
    assert torch.equal(aux.prototypes[1], kinds[0])
    aux._remember(kinds[1:3], torch.tensor([1, 0]))
    torch.testing.assert_close(aux.prototypes[1], (kinds[0] + kinds[1]) / 2**0.5)
    assert torch.equal(aux.prototypes[0], kinds[2]) and aux.prototype_tags.tolist() == [0, 1]


def test_checkpoints_hold_queue_prototypes_and_average():
    net, other = build(), build()
    losses_of(net)
    state = net.state_dict()
    other.load_state_dict(state)
    names = ('queue', 'queue_tags', 'prototypes', 'prototype_tags', 'steps')
    assert all(f'aux.0.{name}' in state for name in names) and other.aux[0].steps == 1
    data = batch()
    torch.manual_seed(1)
    expected = losses_of(net, data)
    torch.manual_seed(1)
    assert losses_of(other, data) == expected


def test_learning_brings_crops_of_a_kind_together():
    net, data = build(momentum=0.5), batch()
    crops = torch.randn(8, 3, 16, 16)
    crops[:4] += 2
    net.aux[0].cut = lambda *_: (crops, torch.tensor([1] * 4 + [0] * 4))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    found = []
    for _ in range(40):
        losses = losses_of(net, data)
        found.append(losses['loss_crops_prototype'].item())
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert sum(found[-5:]) < 0.8 * sum(found[1:6])


def test_thresholds_that_make_no_sense():
    with pytest.raises(UserError, match=r'high < 1, got 0[.]8 and 0[.]7'):
        build(low=0.8)
