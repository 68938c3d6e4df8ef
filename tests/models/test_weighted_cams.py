"""Read-outs that weigh activations, other than Grad-CAM itself."""

import pytest
import torch
import torch.nn.functional as F

from mmsmoke.functional import normalize_cams
from mmsmoke.models import GradCAM, GradCAMPlusPlus, LayerCAM, ScoreCAM
from mmsmoke.models.cams.layers import cam_layers
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

VIT = dict(
    type='mmsmoke.ViTWithCLS', img_size=32, patch_size=8,
    arch=dict(embed_dims=24, num_layers=3, num_heads=2, feedforward_channels=48),
)  # fmt: skip
RESNET = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
SWIN = dict(
    type='SwinTransformer', img_size=64, window_size=2,
    arch=dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 1, 2, 2]),
)  # fmt: skip
TIMM_SWIN = dict(
    type='TIMMBackbone', model_name='swin_tiny_patch4_window7_224', features_only=True,
    feature_cls='getter', out_indices=(-1,), img_size=(64, 96), window_size=2, embed_dim=8,
    depths=(1, 1, 2, 1), num_heads=(1, 1, 2, 2),
)  # fmt: skip
CAM_HEAD = dict(type='mmsmoke.CAMHead', in_channels=64)
NETWORKS = dict(
    cls_vit=(VIT, dict(type='mmsmoke.CLSHead', in_channels=24)),
    cnn=(RESNET, CAM_HEAD),
    swin=(SWIN, CAM_HEAD),
    timm_swin=(TIMM_SWIN, CAM_HEAD),
)
WAYS = [GradCAM, GradCAMPlusPlus, LayerCAM, ScoreCAM]
SIZE = (64, 96)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def network(name, **kwargs):
    backbone, head = NETWORKS[name]
    classifier = MODELS.build(
        dict(
            type='mmsmoke.CAMClassifier',
            backbone=dict(backbone),
            head=dict(head, num_classes=3),
            **kwargs,
        )
    )
    for key, parameter in classifier.named_parameters():
        if parameter.dim() > 1 and 'embed' not in key:  # larger than the usual initial values
            torch.nn.init.xavier_normal_(parameter)
    return classifier.eval()


def pictures(count=2, size=SIZE):
    return torch.randn(count, 3, *size)


def scores(maps, size=SIZE):
    """Maps as pytorch-grad-cam gives them: min-max normalised before and after resizing."""
    resized = F.interpolate(normalize_cams(maps), size, mode='bilinear', align_corners=False)
    return normalize_cams(resized)


def without_cls(tokens):
    return tokens[:, 1:].transpose(1, 2).unflatten(2, (8, 12))


@pytest.mark.parametrize('layer', [-1, 1])
@pytest.mark.parametrize('name', ['cls_vit', 'cnn'])
@pytest.mark.parametrize('way', WAYS)
def test_scores_are_those_of_pytorch_grad_cam(way, name, layer):
    peers = pytest.importorskip('pytorch_grad_cam')
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    classifier, inputs = network(name), pictures()
    _, maps = way([layer])(classifier, inputs)
    assert maps.shape[:3] == (2, 1, 3)
    explain = getattr(peers, way.__name__)(
        classifier,
        [cam_layers(classifier.backbone)[layer]],
        reshape_transform=without_cls if name == 'cls_vit' else None,
    )
    targets = [[ClassifierOutputTarget(k)] * len(inputs) for k in range(3)]
    expected = torch.stack([torch.from_numpy(explain(inputs, one)) for one in targets], 1)
    assert (expected.amax((-2, -1)) > 0.9).float().mean() > 0.5
    torch.testing.assert_close(scores(maps[:, 0]), expected, rtol=0, atol=1e-3)


def test_score_cam_equals_one_pass_for_each_channel():
    classifier, inputs = network('cnn'), pictures()
    _, maps = ScoreCAM([1], batch_size=5)(classifier, inputs)
    with torch.no_grad():
        stage = classifier.backbone.layer2
        kept = []
        handle = stage.register_forward_hook(lambda layer, _, output: kept.append(output))
        classifier.extract_feat(inputs)
        handle.remove()
        (activation,) = kept
        for image, channels, found in zip(inputs, activation, maps[:, 0], strict=True):
            answers = []
            for channel in channels:
                mask = F.interpolate(channel[None, None], SIZE, mode='bilinear', align_corners=True)
                mask = (mask - mask.min()) / (mask.max() - mask.min()).clamp(min=1e-8)
                answers.append(classifier.head(classifier.extract_feat(image[None] * mask))[0])
            weights = torch.stack(answers).softmax(0)
            torch.testing.assert_close(found, torch.einsum('ck,chw->khw', weights, channels))


@pytest.mark.parametrize('size', [1, 7, 1000])
def test_score_cam_does_not_depend_on_how_many_masks_go_at_once(size):
    classifier, inputs = network('cls_vit'), pictures(size=(32, 48))
    expected = ScoreCAM()(classifier, inputs)
    found = ScoreCAM(batch_size=size)(classifier, inputs)
    torch.testing.assert_close(found, expected)


def test_score_cam_bounds_what_runs_at_once_and_keeps_no_graph():
    classifier, inputs = network('cnn'), pictures(3, (32, 32))
    ran = []
    classifier.head.register_forward_hook(
        lambda head, _, logits: ran.append((len(logits), logits.requires_grad))
    )
    with torch.enable_grad():
        ScoreCAM([0], batch_size=10)(classifier, inputs)
    assert ran == [(3, False), (10, False), (10, False), (4, False)]  # 3 images of 8 channels
    with pytest.raises(UserError, match='batch_size must be at least 1, got 0'):
        ScoreCAM(batch_size=0)


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('way', WAYS)
def test_images_do_not_interact(way, name):
    classifier, inputs = network(name), pictures(3)
    logits, together = way()(classifier, inputs)
    alone = [way()(classifier, image[None]) for image in inputs]
    torch.testing.assert_close(
        (logits, together),
        tuple(torch.cat(found) for found in zip(*alone, strict=True)),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize('way', WAYS)
def test_layers_of_differing_grids_are_normalised_and_resized_to_the_finest(way):
    classifier, inputs = network('cnn'), pictures()
    _, maps = way([1, -1])(classifier, inputs)
    assert maps.shape == (2, 2, 3, 8, 12)
    assert maps.min() == 0 and maps.max() == pytest.approx(1)


@pytest.mark.parametrize('way', WAYS)
def test_it_works_inside_a_view_and_a_prediction(way):
    cam = dict(type=f'mmsmoke.{way.__name__}')
    classifier = network('cnn', cam=cam, views=dict(recipe='irn', scales=(1, 2)))
    for sample in classifier.predict(pictures(size=(32, 48))):
        assert sample.cams.shape == (3, 32, 48) and sample.cams.any()


GRIDS = [(16, 24), (8, 12), (4, 6), (4, 6), (2, 3)]  # of each block of a Swin


@pytest.mark.parametrize('block', range(5))
@pytest.mark.parametrize('name', ['swin', 'timm_swin'])
def test_a_swin_has_a_layer_for_each_block_with_its_own_grid(name, block):
    """A gradient at one token is at its place in the map."""
    classifier, inputs = network(name), pictures(1)
    layers = cam_layers(classifier.backbone)
    assert len(layers) == 5
    kept = []
    handle = layers[block].register_forward_hook(lambda layer, _, output: kept.append(output))
    logits = classifier.head(classifier.extract_feat(inputs))
    handle.remove()
    kept[0].retain_grad()
    logits[0, 1].backward()
    weights = kept[0].grad.view(-1, kept[0].shape[-1]).relu()
    by_hand = (weights * kept[0].detach().view_as(weights)).sum(-1).view(GRIDS[block])
    _, maps = LayerCAM([block])(classifier, inputs)
    torch.testing.assert_close(maps[0, 0, 1], by_hand, rtol=1e-4, atol=1e-6)


def test_a_swin_of_an_odd_grid():
    """72 pixels are 18 patches, then 9, 5 and 3."""
    classifier = network('swin')
    for block, grid in enumerate([(16, 18), (8, 9), (4, 5), (4, 5), (2, 3)]):
        assert GradCAM([block])(classifier, pictures(size=(64, 72)))[1].shape == (2, 1, 3, *grid)


def test_a_swin_of_timm_whose_channels_come_last_is_told_what_to_say():
    backbone = {key: value for key, value in TIMM_SWIN.items() if key != 'feature_cls'}
    classifier = MODELS.build(
        dict(type='mmsmoke.CAMClassifier', backbone=backbone, head=dict(CAM_HEAD, num_classes=1))
    )
    with pytest.raises(UserError, match="say feature_cls='getter'"):
        GradCAM()(classifier, pictures())


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('way', WAYS)
def test_nothing_is_left_behind(way, name):
    classifier = network(name).requires_grad_(False)

    def state():
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in classifier.modules()]
        return hooks, torch.is_grad_enabled(), [p.grad for p in classifier.parameters()]

    before = state()
    found = way()(classifier, pictures())
    assert state() == before
    assert not any(tensor.requires_grad for tensor in found)
