import pytest
import torch

from mmsmoke.models import CAMHead
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


def build(pool='avg', num_classes=3, in_channels=8, **kwargs):
    torch.manual_seed(0)
    head = CAMHead(num_classes=num_classes, in_channels=in_channels, pool=pool, **kwargs)
    torch.nn.init.normal_(head.classifier.weight)
    return head


def features(shape=(2, 8, 5, 7), seed=0):
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)),)


def samples(count):
    return [WeakSegDataSample() for _ in range(count)]


@pytest.mark.parametrize(('pool', 'reduce'), [('avg', torch.mean), ('max', torch.amax)])
def test_logit_is_the_mean_or_the_strongest_position_of_the_signed_map(pool, reduce):
    head = build(pool)
    maps = head.class_maps(features())
    assert maps.shape == (2, 3, 5, 7) and maps.min() < 0
    torch.testing.assert_close(head(features()), reduce(maps, dim=(-2, -1)))


def test_map_is_the_weighted_sum_of_features():
    head = build()
    expected = torch.einsum('kc,bchw->bkhw', head.classifier.weight[:, :, 0, 0], features()[0])
    torch.testing.assert_close(head.class_maps(features()), expected)


def test_average_pooling_before_the_classifier_would_be_the_same():
    head = build('avg')
    pooled = features()[0].mean((-2, -1))
    torch.testing.assert_close(head(features()), pooled @ head.classifier.weight[:, :, 0, 0].T)


def test_only_the_last_feature_map_counts():
    head = build()
    assert torch.equal(head((torch.rand(2, 4, 9, 9), *features())), head(features()))


@pytest.mark.parametrize('share', [0.05, 0.1, 0.5, 0.999])
def test_logit_is_the_mean_of_the_strongest_positions(share):
    head = build(share)
    signed = head.class_maps(features()).detach().flatten(2)
    count = max(1, round(share * signed.shape[-1]))
    expected = [[sum(sorted(map(float, m))[-count:]) / count for m in one] for one in signed]
    torch.testing.assert_close(head(features()), torch.tensor(expected))


def test_between_the_maximum_and_the_mean():
    logits = [build(pool)(features()) for pool in ('max', 0.01, 0.2, 0.999, 'avg')]
    torch.testing.assert_close(logits[0], logits[1])
    torch.testing.assert_close(logits[3], logits[4])
    assert (logits[1] >= logits[2]).all() and (logits[2] >= logits[3]).all()


@pytest.mark.parametrize('pool', [0.0, 1.5, -0.1, 'top'])
def test_what_no_pool_is(pool):
    with pytest.raises(ValueError, match=r"one of \['avg', 'max'\] or between 0 and 1"):
        build(pool)


@pytest.mark.parametrize('pool', ['avg', 'max', 0.2])
def test_permuting_positions_permutes_the_map_and_keeps_the_logit(pool):
    head = build(pool)
    order = torch.randperm(35, generator=torch.Generator().manual_seed(0))
    shuffled = (features()[0].flatten(2)[:, :, order].reshape(2, 8, 5, 7),)
    maps = head.class_maps(features()).flatten(2)[:, :, order]
    torch.testing.assert_close(head.class_maps(shuffled).flatten(2), maps)
    torch.testing.assert_close(head(shuffled), head(features()))


@pytest.mark.parametrize('pool', ['avg', 'max', 0.2])
def test_background_is_a_last_channel_that_no_logit_sees(pool):
    head, plain = build(pool, background=True), build(pool)
    with torch.no_grad():
        plain.classifier.weight.copy_(head.classifier.weight[:3])
    maps = head.class_maps(features())
    assert head.background and maps.shape == (2, 4, 5, 7)
    torch.testing.assert_close(maps[:, :3], plain.class_maps(features()))
    torch.testing.assert_close(head(features()), plain(features()))
    with torch.no_grad():
        head.classifier.weight[3] += 100
    torch.testing.assert_close(head(features()), plain(features()))


@pytest.mark.parametrize('pool', ['avg', 'max'])
def test_labels_do_not_train_the_background(pool):
    head = build(pool, background=True, bias=True)
    batch = [WeakSegDataSample().set_gt_score(torch.tensor([1.0, 0.0, 1.0])) for _ in range(2)]
    head.loss(features(), batch)['loss'].backward()
    for parameter in head.parameters():
        assert all(class_gradient.any() for class_gradient in parameter.grad[:3])
        assert not parameter.grad[3].any()


def test_bias_shifts_the_whole_map_and_the_logit_alike():
    head = build(bias=True)
    torch.nn.init.zeros_(head.classifier.bias)
    maps, logits = head.class_maps(features()), head(features())
    bias = torch.tensor([1.0, -2.0, 3.0])
    with torch.no_grad():
        head.classifier.bias.copy_(bias)
    torch.testing.assert_close(head.class_maps(features()), maps + bias[:, None, None])
    torch.testing.assert_close(head(features()), logits + bias)


def test_loss_is_binary_cross_entropy_of_each_class():
    head = build(num_classes=3)
    truth = [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    batch = [WeakSegDataSample().set_gt_score(torch.tensor(row)) for row in truth]
    loss = head.loss(features(), batch)['loss']
    p = head(features()).sigmoid().double()
    t = torch.tensor(truth).double()
    expected = -(t * p.log() + (1 - t) * (1 - p).log())
    # mmpretrain sums over classes and averages over images
    assert loss.item() == pytest.approx(expected.sum(1).mean().item(), rel=1e-5)


def test_published_cams_have_neither_bias_nor_background():
    assert not build().background
    assert [name for name, _ in build().named_parameters()] == ['classifier.weight']
    assert not build()((torch.zeros(1, 8, 4, 4),)).any()


def test_configs_find_it_and_initialise_it():
    head = MODELS.build(dict(type='mmsmoke.CAMHead', num_classes=2, in_channels=64))
    head.init_weights()
    assert 0.005 < head.classifier.weight.std() < 0.02
