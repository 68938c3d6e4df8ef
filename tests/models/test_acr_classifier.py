import copy

import pytest
import torch
from test_diversified_head import batch

from mmsmoke.functional import attention_distance, unmirrored
from mmsmoke.models.cams.attention import record_attention
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

VIT = dict(
    type='mmsmoke.ACRClassifier',
    data_preprocessor=dict(mean=[128.0] * 3, std=[64.0] * 3, to_rgb=True),
    backbone=dict(
        type='VisionTransformer',
        arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=16),
        img_size=32,
        patch_size=8,
        out_type='featmap',
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=16),
)
WITH_CLS = dict(
    VIT,
    backbone=dict(VIT['backbone'], type='mmsmoke.ViTWithCLS'),
    head=dict(type='mmsmoke.CLSHead', num_classes=1, in_channels=16),
    cam=dict(type='mmsmoke.AttentionGradCAM', start_layer=0),
)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(model=VIT, **changes):
    net = MODELS.build(copy.deepcopy(dict(model, **changes)))
    net.init_weights()
    return net.train()


def losses_of(net, data=None):
    return net(**net.data_preprocessor(data or batch()), mode='loss')


@pytest.mark.parametrize('grid', [(3, 4), (4, 4), (1, 5)])
@pytest.mark.parametrize('extra', [0, 1, 2])
def test_turning_back_moves_blocks_of_patches_and_twice_does_nothing(grid, extra):
    tokens = extra + grid[0] * grid[1]
    attention = torch.rand(2, tokens, tokens)
    turned = unmirrored(attention, grid)
    torch.testing.assert_close(unmirrored(turned, grid), attention)
    patches = attention[:, extra:, extra:].unflatten(1, grid).unflatten(3, grid)
    expected = patches.flip(2).flip(4).flatten(3).flatten(1, 2)
    torch.testing.assert_close(turned[:, extra:, extra:], expected)
    torch.testing.assert_close(turned[:, :extra, :extra], attention[:, :extra, :extra])
    rows = attention[:, :extra, extra:].unflatten(2, grid).flip(3).flatten(2)
    torch.testing.assert_close(turned[:, :extra, extra:], rows)


def test_distances_are_those_of_a_loop():
    ours, theirs = torch.rand(2, 3, 7, 7)
    activation, affinity = attention_distance(ours, theirs, patches=6, by_cls=True)
    rows = [abs(ours[b, 0, j] - theirs[b, 0, j]) for b in range(3) for j in range(1, 7)]
    pairs = [
        abs(ours[b, i, j] - theirs[b, i, j])
        for b in range(3) for i in range(1, 7) for j in range(1, 7)
    ]  # fmt: skip
    torch.testing.assert_close(activation, torch.stack(rows).mean())
    torch.testing.assert_close(affinity, torch.stack(pairs).mean())


@pytest.mark.parametrize('model', [VIT, WITH_CLS], ids=['patches', 'cls'])
def test_a_network_that_mirrors_with_the_image_has_no_distance(model):
    net = build(model)
    data = batch()
    half = [image[..., : image.shape[-1] // 2] for image in data['inputs']]
    data['inputs'] = [torch.cat([one, one.flip(-1)], -1) for one in half]  # their own mirror images
    net.backbone.pos_embed.data.zero_()
    weight = net.backbone.patch_embed.projection.weight
    weight.data = weight.data + weight.data.flip(-1)  # a filter that is its own mirror image
    losses = losses_of(net, data)
    assert losses['loss_activation'] < 1e-5 and losses['loss_affinity'] < 1e-5
    net.backbone.pos_embed.data.normal_()
    losses = losses_of(net, data)
    assert losses['loss_activation'] > 1e-3 and losses['loss_affinity'] > 1e-3


@pytest.mark.parametrize('model', [VIT, WITH_CLS], ids=['patches', 'cls'])
def test_losses_are_those_of_two_views_by_hand(model):
    net, data = build(model), batch()
    losses = losses_of(net, data)
    ready = net.data_preprocessor(data)
    found = []
    for inputs in (ready['inputs'], ready['inputs'].flip(-1)):
        with record_attention(net.backbone) as one:
            logits = net.head(net.extract_feat(inputs))
        found.append((logits, one))
    (logits, one), (mirrored, other) = found
    samples = ready['data_samples']
    torch.testing.assert_close(losses['loss_cls'], net.head._get_loss(logits, samples)['loss'])
    expected = net.head._get_loss(mirrored, samples)['loss']
    torch.testing.assert_close(losses['loss_mirrored'], expected)
    n, total = one.patches, 0
    for ours, theirs in zip(one.means, other.means, strict=True):
        theirs = unmirrored(theirs, one.grid)
        total = total + (ours[:, -n:, -n:] - theirs[:, -n:, -n:]).abs().mean() / 2
    torch.testing.assert_close(losses['loss_affinity'], 125 * total)


def test_gradients_flow_through_both_views():
    net, data = build(), batch()
    ready = net.data_preprocessor(data)
    views = {}

    def keep(_, inputs):
        views['both'] = inputs[0].requires_grad_()
        return (views['both'],)

    net.backbone.register_forward_pre_hook(keep)
    losses = net(ready['inputs'], ready['data_samples'], mode='loss')
    (losses['loss_activation'] + losses['loss_affinity']).backward()
    ours, mirrored = views['both'].grad.chunk(2)
    assert ours.flatten(1).any(1).all() and mirrored.flatten(1).any(1).all()


def test_it_predicts_as_an_ordinary_classifier(tmp_path):
    net = build().eval()
    plain = build(type='mmsmoke.CAMClassifier').eval()
    plain.load_state_dict(net.state_dict())
    inputs = net.data_preprocessor(batch())['inputs']
    for one, other in zip(net.predict(inputs), plain.predict(inputs), strict=True):
        assert torch.equal(one.cams, other.cams)
        assert torch.equal(one.pred_scores, other.pred_scores)


def test_images_without_labels_still_attend_alike():
    data = batch()
    for sample in data['data_samples']:
        sample.set_gt_score(torch.tensor([torch.nan]))
    losses = losses_of(build(), data)
    assert losses['loss_cls'] == losses['loss_mirrored'] == 0
    assert losses['loss_affinity'] > 0
    sum(losses.values()).backward()


def test_a_network_without_attention_is_refused():
    cnn = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8)
    head = dict(VIT['head'], in_channels=64)
    with pytest.raises(UserError, match='ResNet has no attention'):
        losses_of(build(backbone=cnn, head=head))
