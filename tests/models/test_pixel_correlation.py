import copy

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models import ResNet

from mmsmoke.models import PCMHead, ResNetPCM, TIMMPyramidPCM
from mmsmoke.models.backbones.pixel_correlation import pixel_affinity
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

MODES = ('thesis', 'seam')
SMALL = dict(depth=18, stem_channels=8, base_channels=8)
TRUNK = ('conv1', 'bn1', 'layer')


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(mode='thesis', **kwargs):
    backbone = ResNetPCM(mode=mode, **{**SMALL, **kwargs})
    backbone.init_weights()
    backbone.eval()
    return backbone


def trunk_gradients(backbone):
    parameters = backbone.named_parameters()
    return [p.grad for name, p in parameters if name.startswith(TRUNK) and p.grad is not None]


# pixel_affinity


def test_affinity_is_the_positive_cosine_over_its_sum_in_the_column():
    features = torch.randn(2, 5, 2, 3)
    affinity = pixel_affinity(features)
    for image, computed in zip(features, affinity, strict=True):
        vectors = [image[:, y, x].double() for y in range(2) for x in range(3)]
        expected = torch.tensor(
            [[max(0, a @ b / a.norm() / b.norm()) for b in vectors] for a in vectors]
        )
        for column in range(6):
            expected[:, column] /= sum(expected[row, column].item() for row in range(6))
        torch.testing.assert_close(computed, expected.float())
    assert not torch.allclose(affinity, affinity.transpose(1, 2))


def test_position_without_features_is_like_itself_alone():
    features = torch.randn(1, 4, 2, 2)
    features[..., 0, 1] = 0
    features.requires_grad_()
    affinity = pixel_affinity(features)
    torch.testing.assert_close(affinity.sum(1), torch.ones(1, 4))
    assert affinity[0, :, 1].tolist() == [0, 1, 0, 0] == affinity[0, 1].tolist()
    (affinity * torch.rand(1, 4, 4)).sum().backward()
    assert features.grad.isfinite().all() and features.grad.abs().max() < 10


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_affinity_is_computed_in_float32_even_under_autocast(dtype):
    features = torch.randn(1, 4, 3, 3).to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        affinity = pixel_affinity(features)
    assert affinity.dtype == torch.float32
    assert torch.equal(affinity, pixel_affinity(features.float()))


# ResNetPCM


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize(('depth', 'channels'), [(18, 64), (50, 256)])
def test_grid_of_stride_16_in_images_that_are_not_square(mode, depth, channels):
    affinity, feature_map = build(mode, depth=depth)(torch.randn(2, 3, 64, 96))
    assert feature_map.shape == (2, channels, 4, 6)
    assert affinity.shape == (2, 24, 24) and affinity.dtype == torch.float32
    assert affinity.min() >= 0
    torch.testing.assert_close(affinity.sum(dim=1), torch.ones(2, 24))


@pytest.mark.parametrize(
    ('strides', 'dilations', 'grid'),
    [((1, 2, 2, 2), (1, 1, 1, 1), (2, 3)), ((1, 2, 1, 1), (1, 1, 2, 4), (8, 12))],
)
def test_stages_of_any_strides(strides, dilations, grid):
    affinity, feature_map = build(strides=strides, dilations=dilations)(torch.randn(1, 3, 64, 96))
    assert feature_map.shape[2:] == grid
    assert affinity.shape[1:] == (grid[0] * grid[1],) * 2


def test_network_of_three_stages():
    """Whose configuration has the outputs of a network without the module."""
    stages = dict(strides=(1, 2, 2), dilations=(1, 1, 1), num_stages=3, out_indices=(2,))
    backbone = build(**stages, widths=(5, 6, 7))
    affinity, feature_map = backbone(torch.randn(1, 3, 64, 96))
    assert feature_map.shape == (1, 32, 4, 6) and affinity.shape == (1, 24, 24)
    assert backbone.reduce_early.conv.weight.shape[:2] == (5, 16)
    assert backbone.reduce_late.conv.weight.shape[:2] == (6, 32)
    assert backbone.mix.conv.weight.shape[:2] == (7, 3 + 5 + 6)


@pytest.mark.parametrize(
    ('mode', 'inputs', 'outputs', 'bias'),
    [
        ('thesis', (32, 64, 3 + 256 + 256), (256, 256, 512), True),
        ('seam', (32, 64, 3 + 64 + 128), (64, 128, 192), False),
    ],
)
def test_widths_are_those_published(mode, inputs, outputs, bias):
    backbone = build(mode)
    layers = [module.conv for module in (backbone.reduce_early, backbone.reduce_late, backbone.mix)]
    assert tuple(layer.in_channels for layer in layers) == inputs
    assert tuple(layer.out_channels for layer in layers) == outputs
    assert all((layer.bias is not None) == bias for layer in layers)


@pytest.mark.parametrize('mode', MODES)
def test_outputs_follow_from_the_stages_of_the_plain_network(mode):
    backbone = build(mode)
    with torch.no_grad():
        for parameter in backbone.parameters():  # biases and norms that are not trivial
            parameter.add_(0.05 * torch.randn_like(parameter))
    plain = ResNet(**SMALL, strides=(1, 2, 2, 1), out_indices=(2, 3))
    plain.eval()
    missing, _ = plain.load_state_dict(backbone.state_dict(), strict=False)
    assert not missing

    image = torch.randn(2, 3, 64, 96)
    affinity, feature_map = backbone(image)
    early, late = plain(image)
    reduced = [
        F.conv2d(stage, layer.conv.weight, layer.conv.bias)
        for stage, layer in ((early, backbone.reduce_early), (late, backbone.reduce_late))
    ]
    if mode == 'seam':
        reduced = [features.relu() for features in reduced]
    corners = F.interpolate(image, (4, 6), mode='bilinear', align_corners=True)
    mixed = F.conv2d(
        torch.cat([corners, *reduced], 1), backbone.mix.conv.weight, backbone.mix.conv.bias
    )
    torch.testing.assert_close(affinity, pixel_affinity(mixed))

    if mode == 'seam':
        torch.testing.assert_close(feature_map, late)
    else:
        extra = F.conv2d(late, backbone.extra.conv.weight, padding=1)
        extra = extra / (1 + backbone.extra.bn.eps) ** 0.5  # untrained statistics: mean 0, var 1
        scale, shift = (
            x[:, None, None] for x in (backbone.extra.bn.weight, backbone.extra.bn.bias)
        )
        torch.testing.assert_close(feature_map, (extra * scale + shift).relu())


@pytest.mark.parametrize('mode', MODES)
def test_comparison_trains_the_trunk_in_thesis_mode_only(mode):
    backbone = build(mode)
    affinity, _ = backbone(torch.randn(2, 3, 64, 64))
    (affinity * torch.rand_like(affinity)).sum().backward()
    moved = [gradient for gradient in trunk_gradients(backbone) if gradient.any()]
    assert bool(moved) == (mode == 'thesis')
    for layer in (backbone.reduce_early, backbone.reduce_late, backbone.mix):
        assert layer.conv.weight.grad.any()


@pytest.mark.parametrize('mode', MODES)
def test_map_trains_the_trunk_in_both_modes(mode):
    backbone = build(mode)
    backbone(torch.randn(2, 3, 64, 64))[-1].sum().backward()
    assert any(gradient.any() for gradient in trunk_gradients(backbone))
    assert backbone.mix.conv.weight.grad is None


def test_checkpoint_of_a_plain_resnet_fills_the_trunk_alone(tmp_path):
    plain = ResNet(**SMALL)
    state = {f'backbone.{name}': value for name, value in plain.state_dict().items()}
    torch.save(dict(state_dict={**state, 'head.fc.weight': torch.rand(3, 64)}), tmp_path / 'r.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'r.pth'), prefix='backbone.')
    backbone = build(init_cfg=init_cfg)
    for name, value in plain.state_dict().items():
        assert torch.equal(backbone.state_dict()[name], value), name
    for layer in (backbone.reduce_early, backbone.reduce_late, backbone.mix, backbone.extra):
        fan_out = layer.conv.out_channels * layer.conv.kernel_size[0] ** 2
        assert layer.conv.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


def test_classifier_runs_under_autocast():
    with torch.autocast('cpu', dtype=torch.bfloat16):
        feats = build()(torch.randn(1, 3, 64, 64))
        logits = PCMHead(num_classes=1, in_channels=64)(feats)
    assert feats[0].dtype == torch.float32 and feats[1].dtype == torch.bfloat16
    assert logits.isfinite().all()


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match=r"mode must be one of thesis, seam, got 'pcm'"):
        ResNetPCM(depth=18, mode='pcm')


# PCMHead


def build_head(num_classes=2, in_channels=8, **kwargs):
    head = PCMHead(num_classes=num_classes, in_channels=in_channels, **kwargs)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


def features(batch=2, channels=8, grid=(3, 5)):
    feature_map = torch.randn(batch, channels, *grid)
    return pixel_affinity(torch.randn(batch, 4, *grid)), feature_map


def test_maps_equal_those_of_correlated_features():
    """phi(g) + phi(g A) as defined, with a bias, though computed by phi(g) A."""
    head, (affinity, feature_map) = build_head(), features()
    correlated = (feature_map.flatten(2) @ affinity).view_as(feature_map)
    expected = head.classifier(feature_map) + head.classifier(correlated)
    maps = head.class_maps((affinity, feature_map))
    assert maps.shape == (2, 3, 3, 5)
    torch.testing.assert_close(maps, expected, atol=1e-5, rtol=1e-5)


def test_column_receives_from_row():
    head = build_head(num_classes=1, in_channels=1, background=False, bias=False)
    torch.nn.init.ones_(head.classifier.weight)
    affinity = torch.tensor([[[1.0, 0.7, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 1.0]]])
    maps = head.class_maps((affinity, torch.tensor([[[[10.0, 0.0, 1.0]]]])))
    torch.testing.assert_close(maps, torch.tensor([[[[20.0, 7.0, 2.0]]]]))


def test_network_of_low_precision_takes_the_float32_affinity():
    head, (affinity, feature_map) = build_head(), features()
    expected = head.class_maps((affinity, feature_map))
    maps = head.bfloat16().class_maps((affinity, feature_map.bfloat16()))
    torch.testing.assert_close(maps.float(), expected, atol=0.2, rtol=0.05)


def test_logits_are_the_mean_of_the_foreground_maps():
    head, feats = build_head(), features()
    torch.testing.assert_close(head(feats), head.class_maps(feats)[:, :2].mean((-2, -1)))


def test_background_and_bias_are_the_default():
    head = PCMHead(num_classes=2, in_channels=8)
    assert head.background and head.classifier.weight.shape == (3, 8, 1, 1)
    assert head.classifier.bias.shape == (3,)
    plain = PCMHead(num_classes=2, in_channels=8, background=False, bias=False)
    assert plain.class_maps(features()).shape == (2, 2, 3, 5)
    assert plain.classifier.bias is None


def test_initialisation_of_the_thesis():
    head = PCMHead(1, 2048, init_cfg=dict(type='Kaiming', layer='Conv2d'))
    head.init_weights()
    assert head.classifier.weight.std(dim=1).flatten().tolist() == pytest.approx([1, 1], rel=0.1)


def test_background_gets_no_gradient_from_the_labels():
    head, feats = build_head(), features()
    batch = [WeakSegDataSample().set_gt_score(torch.tensor([1.0, 0.0])) for _ in range(2)]
    head.loss(feats, batch)['loss'].backward()
    for parameter in head.parameters():
        assert parameter.grad[:2].any() and not parameter.grad[2].any()


# both in a classifier


def build_classifier(mode='thesis', num_classes=2, **backbone):
    model = MODELS.build(
        dict(
            type='mmsmoke.CAMClassifier',
            data_preprocessor=dict(mean=[127.0] * 3, std=[64.0] * 3),
            backbone=dict(type='mmsmoke.ResNetPCM', mode=mode, **SMALL, **backbone),
            head=dict(type='mmsmoke.PCMHead', num_classes=num_classes, in_channels=64),
        )
    )
    model.init_weights()
    return model


def coloured_images(count=4, size=(64, 96)):
    """Grey noise; image i has a red square if bit 0 of i is set, a blue one if bit 1 is."""
    images = torch.randn(count, 3, *size) / 4
    labels = torch.tensor([[i >> k & 1 for k in range(2)] for i in range(count)]).float()
    for image, (red, blue) in zip(images, labels, strict=True):
        image[0, 8:40, 8:40] += 3 * red
        image[2, 24:56, 56:88] += 3 * blue
    return images, [WeakSegDataSample().set_gt_score(label) for label in labels]


def train(model, images, samples, steps, lr=3e-3):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = model.loss(images, samples)['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize('mode', MODES)
def test_cams_are_the_rectified_foreground_maps(mode):
    model = build_classifier(mode).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        predicted = model.predict(images)
        maps = model.head.class_maps(model.extract_feat(images))
    assert maps.shape == (2, 3, 4, 6)
    for sample, signed in zip(predicted, maps, strict=True):
        assert sample.cams.shape == (2, 4, 6)
        torch.testing.assert_close(sample.cams, signed[:2].relu())
        torch.testing.assert_close(sample.pred_scores, signed[:2].mean((-2, -1)).sigmoid())
        assert sample.cam_normalize == 'minmax'


@pytest.mark.parametrize('mode', MODES)
def test_it_learns_four_images(mode):
    model = build_classifier(mode, norm_eval=True).train()
    images, samples = coloured_images()
    losses = train(model, images, samples, steps=40)
    assert losses[-1] < 0.2 * losses[0]
    with torch.no_grad():
        predicted = model.eval().predict(images)
    for sample, (i, truth) in zip(predicted, enumerate(samples), strict=True):
        assert torch.equal(sample.pred_scores > 0.5, truth.gt_score > 0.5), i


def test_training_step_of_the_thesis_changes_everything_but_the_background():
    model = build_classifier(zero_init_residual=False).train()
    before = copy.deepcopy(dict(model.named_parameters()))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    images, samples = coloured_images()
    model.loss(images, samples)['loss'].backward()
    optimizer.step()
    for name, parameter in model.backbone.named_parameters():
        assert not torch.equal(parameter, before[f'backbone.{name}']), name
    changed = model.head.classifier.weight != before['head.classifier.weight']
    assert changed.flatten(1).any(1).tolist() == [True, True, False]


# TIMMPyramidPCM

LITE0 = dict(model_name='tf_efficientnet_lite0', output_stride=16)


@pytest.mark.parametrize('mode', MODES)
def test_a_network_of_timm_with_the_module(mode):
    plain = MODELS.build(dict(type='mmpretrain.TIMMBackbone', features_only=True, **LITE0))
    found = TIMMPyramidPCM(mode=mode, widths=(4, 5, 6), **LITE0)
    plain.eval()
    found.eval()
    missing, unexpected = found.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all(not name.startswith('timm_model') for name in missing)
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        affinity, feature_map = found(image)
        early, late = plain(image)[-2:]
    assert feature_map.shape == late.shape == (1, 320, 4, 6)
    torch.testing.assert_close(affinity.sum(dim=1), torch.ones(1, 24))
    torch.testing.assert_close(feature_map, found.extra(late), rtol=1e-4, atol=1e-4)
    assert (mode == 'seam') == torch.allclose(feature_map, late, rtol=1e-4, atol=1e-4)
    assert found.reduce_early.conv.in_channels == early.shape[1] == 112


def test_an_unknown_mode_is_named_for_it_too():
    with pytest.raises(ValueError, match="mode must be one of thesis, seam, got 'x'"):
        TIMMPyramidPCM(mode='x', **LITE0)
