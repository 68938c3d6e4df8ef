"""Maps of the few images with a true mask are compared with it, and no others."""

import copy

import pytest
import torch
from mmengine.structures import PixelData

from mmsmoke.functional import IGNORE, balanced_map_loss
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

MAPS = dict(type='mmsmoke.MapLoss')
CNN = dict(
    type='ResNet', depth=18, stem_channels=8, base_channels=8, num_stages=2, strides=(1, 2),
    dilations=(1, 1), out_indices=(1,),
)  # fmt: skip
VIT = dict(
    type='VisionTransformer', img_size=32, patch_size=8, out_type='featmap',
    arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
)  # fmt: skip


def classifier(backbone, width, kind='CAMClassifier', head='CAMHead', **others):
    return dict(
        type=f'mmsmoke.{kind}',
        data_preprocessor=dict(mean=[128.0] * 3, std=[64.0] * 3, to_rgb=True),
        backbone=backbone,
        head=dict(type=f'mmsmoke.{head}', num_classes=2, in_channels=width),
        **others,
    )


NETWORKS = dict(
    cnn=classifier(CNN, 16, aux=[MAPS]),
    vit=classifier(VIT, 24, aux=[MAPS]),
    cls=classifier(dict(VIT, type='mmsmoke.ViTWithCLS'), 24, head='CLSHead', aux=[MAPS]),
    student=dict(
        type='mmsmoke.CrossArchDistiller',
        student=classifier(VIT, 24, aux=[MAPS]),
        teacher=classifier(CNN, 16),
        transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss'),
        align='class_maps',
    ),
)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def masks_of(size=(2, 12, 12), classes=2):
    dice = torch.Generator().manual_seed(1)
    masks = torch.randint(0, classes + 1, size, generator=dice)
    masks[:, :2, 3:7] = IGNORE
    return masks


def naive(maps, masks):
    """Go through all pixels, each of which lies in one place of the map."""
    halves = {True: [], False: []}
    step = [big // small for big, small in zip(masks.shape[1:], maps.shape[2:], strict=True)]
    for b, k, y, x in torch.cartesian_prod(
        *map(torch.arange, (len(maps), maps.shape[1], *masks.shape[1:]))
    ).tolist():
        value = int(masks[b, y, x])
        if value != IGNORE:
            inside = value == k + 1
            chance = maps[b, k, y // step[0], x // step[1]].sigmoid()
            halves[inside].append(-(chance if inside else 1 - chance).log())
    return sum(torch.stack(half).mean() for half in halves.values() if half) / 2


@pytest.mark.parametrize('size', [(3, 4), (12, 12), (1, 1)])
def test_a_loop_over_pixels_says_the_same(size):
    maps = torch.randn(2, 2, *size)
    torch.testing.assert_close(balanced_map_loss(maps, masks_of()), naive(maps, masks_of()))


@pytest.mark.parametrize('value', [0, 1, IGNORE])
def test_a_mask_of_one_value_has_no_nan(value):
    maps = torch.randn(2, 1, 3, 3, requires_grad=True)
    loss = balanced_map_loss(maps, torch.full((2, 6, 6), value))
    loss.backward()
    assert loss.isfinite() and maps.grad.isfinite().all()
    assert (loss == 0) == (value == IGNORE) == (not maps.grad.any())


@pytest.mark.parametrize('pixels', [1, 12, 100])
def test_inside_counts_as_much_as_outside_however_small_it_is(pixels):
    maps = torch.zeros(1, 1, 5, 5, requires_grad=True)
    masks = torch.zeros(1, 225, dtype=torch.long)
    masks[:, :pixels] = 1
    balanced_map_loss(maps, masks.view(1, 15, 15)).backward()
    assert abs(maps.grad.sum()) < 1e-6  # both halves pull alike at even odds


def test_what_is_ignored_pulls_at_no_place():
    maps = torch.zeros(1, 1, 2, 2, requires_grad=True)
    masks = torch.zeros(1, 8, 8, dtype=torch.long)
    masks[:, 4:] = IGNORE
    balanced_map_loss(maps, masks).backward()
    assert maps.grad[0, 0, 0].all() and not maps.grad[0, 0, 1].any()


def sample(true, size=32, labels=(1.0, 0.0), mask=True):
    one = WeakSegDataSample(metainfo=dict(img_path='a.png', ori_shape=(size, size)))
    one.set_gt_score(torch.tensor(labels))
    if true is not None:
        one.set_metainfo(dict(true_mask=true))
    if mask:
        half = torch.zeros(1, size, size, dtype=torch.long)
        half[..., size // 2 :] = 1
        one.gt_sem_seg = PixelData(data=half)
    return one


def losses_of(net, *samples):
    dice = torch.Generator().manual_seed(5)
    images = [torch.randint(0, 256, (3, 32, 32), generator=dice).byte() for _ in samples]
    data = net.data_preprocessor(dict(inputs=images, data_samples=list(samples)), True)
    return net.train()(**data, mode='loss')


@pytest.mark.parametrize('name', NETWORKS)
def test_only_images_with_a_true_mask_are_compared(name):
    net = MODELS.build(copy.deepcopy(NETWORKS[name])).eval()
    both = losses_of(net, sample(True), sample(False))['loss_map']
    other = sample(False)
    other.gt_sem_seg.data.fill_(2)
    assert torch.equal(both, losses_of(net, sample(True), other)['loss_map'])
    changed = sample(True)
    changed.gt_sem_seg.data = 1 - changed.gt_sem_seg.data
    assert not torch.equal(both, losses_of(net, changed, sample(False))['loss_map'])


@pytest.mark.parametrize('name', NETWORKS)
def test_maps_learn_where_the_mask_is(name):
    net = MODELS.build(copy.deepcopy(NETWORKS[name]))
    learns = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learns, lr=3e-3)
    values = []
    for _ in range(12):
        loss = losses_of(net, sample(True), sample(False, mask=False))['loss_map']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < 0.8 * values[0]


def test_a_batch_without_any_costs_nothing_and_every_weight_has_a_gradient():
    net = MODELS.build(copy.deepcopy(NETWORKS['cnn']))
    loss = losses_of(net, sample(False), sample(False, mask=False))['loss_map']
    loss.backward()
    assert loss == 0 and not net.head.classifier.weight.grad.any()


def test_other_losses_stay_what_they_are():
    plain = MODELS.build(classifier(CNN, 16))
    torch.manual_seed(0)
    net = MODELS.build(copy.deepcopy(NETWORKS['cnn']))
    net.load_state_dict(plain.state_dict())  # it has no weights of its own
    given = sample(True), sample(False)
    assert torch.equal(losses_of(net, *given)['loss'], losses_of(plain, *given)['loss'])


def test_the_mirrored_view_of_acr_has_mirrored_masks():
    acr = MODELS.build(classifier(VIT, 24, 'ACRClassifier', aux=[MAPS]))
    net = MODELS.build(classifier(VIT, 24, aux=[MAPS]))
    net.load_state_dict(acr.state_dict())
    found = losses_of(acr, sample(True), sample(False))
    flipped = sample(True).mirrored()
    assert torch.equal(flipped.gt_sem_seg.data, sample(True).gt_sem_seg.data.flip(-1))
    dice = torch.Generator().manual_seed(5)
    images = [torch.randint(0, 256, (3, 32, 32), generator=dice).byte() for _ in range(2)]
    data = dict(inputs=[one.flip(-1) for one in images], data_samples=[flipped, sample(False)])
    expected = net.train()(**net.data_preprocessor(data, True), mode='loss')['loss_map']
    torch.testing.assert_close(found['loss_map_mirrored'], expected)
    assert not torch.allclose(found['loss_map'], found['loss_map_mirrored'])


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (dict(true=None), 'training data have none: say how many'),
        (dict(true=True, mask=False), 'a.png: its true mask was not loaded'),
        (dict(true=True, size=48), 'picture has 32x32 pixels after all transforms, its mask 48x48'),
    ],
)
def test_what_is_missing_is_named(given, message):
    net = MODELS.build(copy.deepcopy(NETWORKS['cnn']))
    with pytest.raises(UserError, match=message):
        losses_of(net, sample(**given), sample(False))


def test_maps_that_nobody_reads_are_not_trained():
    for cam in (dict(type='mmsmoke.GradCAM'), dict(type='mmsmoke.AttentionRollout')):
        with pytest.raises(UserError, match="MapLoss trains the head's own maps, but"):
            MODELS.build(classifier(VIT, 24, aux=[MAPS], cam=cam))
    for read in (dict(combine='and'), dict(read_projection=True)):
        with pytest.raises(UserError, match="MapLoss trains the student's own maps"):
            MODELS.build({**copy.deepcopy(NETWORKS['student']), **read})
