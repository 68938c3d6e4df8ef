import copy

import pytest
import torch
from test_cross_arch_distiller import CNN, PCM, VIT, VIT_CLS
from test_cross_arch_distiller import build as build_distiller

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample, clips_of
from mmsmoke.utils import DataError, UserError

MIL = dict(type='mmsmoke.ClipLoss')
COLOR, STATIC = dict(type='mmsmoke.ColorConsistencyLoss'), dict(type='mmsmoke.StaticBackgroundLoss')


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(model=CNN, **settings):
    net = MODELS.build(dict(copy.deepcopy(model), **settings))
    net.init_weights()
    return net.train()


def batch(labels=(1, 0), frames=4, size=32):
    """Clips of noise; in those with a label, a bright square moves through the last frames."""
    images, samples = [], []
    for clip, label in enumerate(labels):
        still = torch.randint(0, 120, (3, size, size))
        for frame in range(frames):
            image = still + torch.randint(0, 5, still.shape)
            if label == 1 and frame >= frames // 2:
                image[:, 4:16, 4 * frame : 4 * frame + 12] = 230
            images.append(image.byte())
            columns = dict(clip=f'clip_{clip}')
            sample = WeakSegDataSample(metainfo=dict(image=f'{clip}_{frame}.png', columns=columns))
            sample.set_gt_score(torch.tensor([float(label)]))
            samples.append(sample.set_gt_label(torch.tensor([0] if label == 1 else []).long()))
    return dict(inputs=images, data_samples=samples)


def losses_of(net, data=None):
    return net(**net.data_preprocessor(data or batch(), training=True), mode='loss')


def logits_of(net, data):
    inputs = net.data_preprocessor(data, training=True)['inputs']
    return net.head(net.extract_feat(inputs))


# The label of a clip


@pytest.mark.parametrize('model', [CNN, PCM, VIT, VIT_CLS], ids=['cnn', 'pcm', 'vit', 'vit_cls'])
@pytest.mark.parametrize('pool', ['max', 'mean', 'softmax', 0.5])
def test_any_head_learns_from_the_clip_as_a_whole(model, pool):
    net, data = build(model, clip_loss=dict(MIL, pool=pool)).eval(), batch()
    found = losses_of(net, data)
    assert found.keys() == {'loss'}
    logits = logits_of(net, data).view(2, 4)
    pooled = {
        'max': logits.amax(1),
        'mean': logits.mean(1),
        'softmax': (logits.softmax(1) * logits).sum(1),
        0.5: logits.topk(2, 1).values.mean(1),
    }[pool]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        pooled, torch.tensor([1.0, 0.0])
    )
    assert torch.allclose(found['loss'], expected)


def test_clips_of_one_frame_are_images_as_ever():
    data = batch((1, 0, 0), frames=1)
    net = build().eval()
    expected = losses_of(net, data)
    net.clip_loss = MODELS.build(MIL)
    assert losses_of(net, data) == expected


def test_frames_of_a_clip_need_not_be_neighbours():
    net, data = build(clip_loss=MIL).eval(), batch()
    order = [5, 0, 6, 1, 7, 2, 4, 3]
    mixed = {key: [values[k] for k in order] for key, values in data.items()}
    assert torch.allclose(losses_of(net, mixed)['loss'], losses_of(net, data)['loss'])


def test_a_clear_frame_of_a_clip_with_smoke_learns_nothing_from_the_maximum():
    net, data = build(clip_loss=MIL).eval(), batch((1,))
    ready = net.data_preprocessor(data, training=True)
    inputs = ready['inputs'].requires_grad_()
    net(inputs, ready['data_samples'], mode='loss')['loss'].backward()
    assert inputs.grad.flatten(1).abs().sum(1).count_nonzero() == 1


def test_clips_without_a_label_are_left_out():
    net = build(clip_loss=MIL).eval()
    alone = losses_of(net, batch((1, 0)))
    torch.manual_seed(0)
    data = batch((1, 0))
    more = batch((float('nan'),))
    for sample in more['data_samples']:
        sample.set_metainfo(dict(columns=dict(clip='another')))
    with_more = {key: data[key] + more[key] for key in data}
    torch.manual_seed(0)
    expected = losses_of(net, data)
    assert torch.allclose(losses_of(net, with_more)['loss'], expected['loss'])
    assert losses_of(net, more)['loss'] == 0 and alone['loss'] > 0


def test_students_of_distillers_learn_from_clips():
    student = dict(copy.deepcopy(VIT), clip_loss=MIL, aux=[dict(COLOR), dict(STATIC)])
    net = build_distiller(student=student)
    data = batch()
    found = losses_of(net, data)
    assert {'loss_cls', 'loss_transfer', 'loss_color', 'loss_static'} <= found.keys()
    alone = losses_of(net.student, data)
    assert torch.allclose(found['loss_cls'], alone['loss'])


def test_it_learns():
    net, data = build(clip_loss=MIL), batch((1, 0, 1, 0))
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    first = losses_of(net, data)['loss'].item()
    for _ in range(15):
        optimizer.zero_grad()
        losses_of(net, data)['loss'].backward()
        optimizer.step()
    assert losses_of(net, data)['loss'].item() < 0.5 * first


def test_frames_that_contradict_each_other_or_have_no_clip_are_named():
    net, data = build(clip_loss=MIL), batch()
    data['data_samples'][2].set_gt_score(torch.tensor([0.0])).set_gt_label([])
    with pytest.raises(DataError, match=r'0_2\.png: frames of one clip must have one label'):
        losses_of(net, data)
    data = batch()
    data['data_samples'][5].set_metainfo(dict(columns=dict(camera='a')))
    with pytest.raises(DataError, match=r'1_1\.png: labels\.csv must name its clip'):
        losses_of(net, data)


def test_heads_and_pools_that_it_cannot_do_are_refused():
    several = copy.deepcopy(CNN)
    several['head']['type'] = 'mmsmoke.DiversifiedHead'
    with pytest.raises(UserError, match='not those of a DiversifiedHead'):
        losses_of(build(several, clip_loss=MIL))
    with pytest.raises(ValueError, match='pool must be one of'):
        build(clip_loss=dict(MIL, pool='min'))


def test_clips_are_numbered_in_order_of_appearance():
    samples = batch((1, 0, 1), frames=2)['data_samples']
    assert clips_of(samples[::-1]).tolist() == [0, 0, 1, 1, 2, 2]


# Colour


def test_only_clips_with_smoke_are_held_to_their_colours():
    net = build(aux=[COLOR])
    assert losses_of(net, batch((1, 0)))['loss_color'] > 0
    for data in (batch((0, 0)), batch((1, 1), frames=1)):
        found = losses_of(net, data)
        assert found['loss_color'] == 0 and found['loss_color'].requires_grad


def test_maps_that_are_sure_alike_everywhere_have_no_colour_loss():
    net = build(aux=[COLOR])
    with torch.no_grad():
        net.head.classifier.weight.zero_()
    assert losses_of(net)['loss_color'].item() == pytest.approx(0.1 * 0.25)
    net.head.class_maps = lambda feats: torch.full((8, 1, 4, 4), 50.0)
    assert losses_of(net)['loss_color'].item() == pytest.approx(0, abs=1e-6)


def test_few_pixels_are_drawn_by_lot():
    net = build(aux=[dict(COLOR, pixels=20)]).eval()
    data = batch()
    found = [losses_of(net, data)['loss_color'].item() for _ in range(3)]
    assert len({*found}) == 3
    all_of_them = build(aux=[dict(COLOR, pixels=10_000)]).eval()
    once, again = (losses_of(all_of_them, data)['loss_color'] for _ in range(2))
    assert torch.allclose(once, again)


# What stands still


def test_mass_on_what_stands_still_is_penalised():
    net, data = build(aux=[dict(STATIC, loss_weight=1.0)]), batch((1,), frames=5)
    ready = net.data_preprocessor(data, training=True)
    maps = torch.zeros(5, 1, 4, 4)
    on_square, elsewhere = maps.clone(), maps.clone()
    on_square[3:, :, :2, 2:] = 1
    elsewhere[:, :, 3, 0] = 1
    shares = {}
    for name, drawn in dict(moving=on_square, standing=elsewhere).items():
        found = net.aux[0](
            _Classifier(drawn), ready['inputs'], (), torch.ones(5, 1), torch.zeros(5)
        )
        shares[name] = found['loss_static'].item()
    assert shares['standing'] == pytest.approx(1, abs=0.01)
    assert shares['moving'] < 0.2


class _Classifier:
    """Have a head whose maps are known."""

    def __init__(self, maps):
        self.head, self.maps = self, maps

    def class_maps(self, feats):
        return self.maps


def test_clear_and_short_clips_have_no_median_to_keep_off():
    net = build(aux=[STATIC])
    for data in (batch((0, 0)), batch((1, 1), frames=2)):
        found = losses_of(net, data)
        assert found['loss_static'] == 0 and found['loss_static'].requires_grad
    assert losses_of(net, batch((1, 0)))['loss_static'] > 0


@pytest.mark.parametrize(
    ('loss', 'message'),
    [
        (dict(COLOR, pixels=1), 'pixels must be at least 2'),
        (dict(COLOR, sigma=0), 'sigma must be above 0'),
        (dict(STATIC, sigma=-1), 'sigma must be above 0'),
    ],
)
def test_settings_that_cannot_be_are_refused(loss, message):
    with pytest.raises(UserError, match=message):
        build(aux=[loss])
