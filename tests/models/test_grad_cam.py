import warnings

import pytest
import torch
import torch.nn.functional as F

from mmsmoke.functional import cams_to_scores, normalize_cams
from mmsmoke.models import GradCAM, LinearCAM
from mmsmoke.models.cams.grad_cam import class_gradients, graph_from
from mmsmoke.models.cams.layers import cam_layers
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

PATCH = 8
ARCH = dict(embed_dims=24, num_layers=3, num_heads=2, feedforward_channels=48)
VIT = dict(arch=ARCH, img_size=32, patch_size=PATCH)
PATCH_VIT = dict(type='VisionTransformer', out_type='featmap', **VIT)
CLS_VIT = dict(type='mmsmoke.ViTWithCLS', **VIT)
RESNET = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
CAM_HEAD = dict(type='mmsmoke.CAMHead', num_classes=3)
NETWORKS = dict(
    cls_vit=(CLS_VIT, dict(type='mmsmoke.CLSHead', in_channels=24)),
    patch_vit=(PATCH_VIT, dict(type='mmsmoke.CAMHead', pool='max', in_channels=24)),
    cnn=(RESNET, dict(type='mmsmoke.CAMHead', in_channels=64)),
)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(backbone, head, **kwargs):
    classifier = MODELS.build(
        dict(type='mmsmoke.CAMClassifier', backbone=backbone, head=head, **kwargs)
    )
    for name, parameter in classifier.named_parameters():
        if parameter.dim() > 1 and 'embed' not in name:  # larger than the usual initial values
            torch.nn.init.xavier_normal_(parameter)
    return classifier.eval()


def network(name, num_classes=3, **kwargs):
    backbone, head = NETWORKS[name]
    return build(dict(backbone), dict(head, num_classes=num_classes), **kwargs)


def images(*size, count=2):
    return torch.randn(count, 3, *size)


def naive(classifier, inputs, layers, grid):
    """Maps [B, L, K, h, w] by a complete backward pass for every image and class."""
    kept = {}
    handles = [
        layer.register_forward_hook(lambda layer, _, output: kept.__setitem__(layer, output))
        for layer in layers
    ]
    result = []
    for image in inputs:
        per_class = []
        for k in range(classifier.head.num_classes):
            logits = classifier.head(classifier.extract_feat(image[None]))
            for activation in kept.values():
                activation.retain_grad()
            logits[0, k].backward()
            per_class.append(at_one_size([naive_map(kept[layer], grid) for layer in layers], grid))
        result.append(torch.stack(per_class, dim=1))
    for handle in handles:
        handle.remove()
    classifier.zero_grad()
    return torch.stack(result)


def naive_map(output, grid):
    activation, gradient = output[0].detach(), output.grad[0]
    if activation.dim() == 2:
        extra = len(activation) - grid[0] * grid[1]
        activation, gradient = (x[extra:].T.reshape(-1, *grid) for x in (activation, gradient))
    weights = gradient.flatten(1).mean(1)
    return (weights[:, None, None] * activation).sum(0)


def at_one_size(maps, grid):
    """Maps of one grid as they are, of several as the thesis does: ReLU, min-max, resize."""
    if len({m.shape for m in maps}) > 1:
        maps = [m.relu() for m in maps]
        maps = [(m - m.min()) / (m.max() - m.min()).clamp(min=1e-8) for m in maps]
        maps = [F.interpolate(m[None, None], size=grid, mode='bilinear')[0, 0] for m in maps]
    return torch.stack(maps)


@pytest.mark.parametrize('layers', [(-1,), (-3, 1, -1)])
@pytest.mark.parametrize('num_classes', [1, 3])
@pytest.mark.parametrize('name', NETWORKS)
def test_it_equals_a_backward_pass_for_each_class(name, num_classes, layers):
    classifier, inputs = network(name, num_classes), images(64, 96)
    chosen = [cam_layers(classifier.backbone)[i] for i in layers]
    grid = (8, 12)  # of the ViT, and of the ResNet's stages 1 to 4: 16 x 24 to 2 x 3
    if name == 'cnn':
        grid = (2, 3) if layers == (-1,) else (8, 12)
    logits, maps = GradCAM(layers)(classifier, inputs)
    expected = naive(classifier, inputs, chosen, grid)
    assert maps.shape == (2, len(layers), num_classes, *grid)
    assert maps.abs().amax() > 1e-4
    assert (maps.min() < 0) == (name != 'cnn' or layers == (-1,))
    torch.testing.assert_close(maps, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())
    torch.testing.assert_close(logits, classifier.head(classifier.extract_feat(inputs)).detach())


# 17 x 80 pixels are padded to 3 x 10 patches: neither the root of 30 nor 17 : 80 gives that
@pytest.mark.parametrize(
    ('size', 'grid'),
    [((32, 32), (4, 4)), ((32, 72), (4, 9)), ((72, 24), (9, 3)), ((17, 80), (3, 10))],
)
def test_the_grid_of_tokens_follows_the_image(size, grid):
    classifier, inputs = network('cls_vit'), images(*size)
    _, maps = GradCAM()(classifier, inputs)
    assert maps.shape == (2, 1, 3, *grid)
    expected = naive(classifier, inputs, [classifier.backbone.layers[-1].ln1], grid)
    torch.testing.assert_close(maps, expected)


@pytest.mark.parametrize(
    'backbone',
    [
        dict(PATCH_VIT, type='DistilledVisionTransformer'),  # CLS and distillation token
        dict(PATCH_VIT, with_cls_token=False),
    ],
)
def test_tokens_that_are_not_patches_are_left_out(backbone):
    classifier, inputs = build(backbone, dict(CAM_HEAD, in_channels=24)), images(32, 48, count=1)
    _, maps = GradCAM()(classifier, inputs)
    expected = naive(classifier, inputs, [classifier.backbone.layers[-1].ln1], (4, 6))
    torch.testing.assert_close(maps, expected)


def test_it_needs_no_map_in_the_head():
    """mmpretrain's usual way, pool and then classify, is only another head."""
    head = dict(type='MultiLabelLinearClsHead', num_classes=3, in_channels=24)
    pooled = build(PATCH_VIT, head, neck=dict(type='GlobalAveragePooling'))
    plain = build(PATCH_VIT, dict(CAM_HEAD, in_channels=24))
    plain.backbone.load_state_dict(pooled.backbone.state_dict())
    pooled.head.fc.bias.data.zero_()
    plain.head.classifier.weight.data = pooled.head.fc.weight.data[:, :, None, None]
    inputs = images(32, 48)
    for ours, other in zip(GradCAM()(plain, inputs), GradCAM()(pooled, inputs), strict=True):
        torch.testing.assert_close(ours, other)


def test_for_pooling_and_a_linear_layer_it_is_the_plain_cam():
    """Each of the h * w positions has the weight of the layer, divided by h * w."""
    classifier, inputs = network('cnn'), images(64, 96)
    _, plain = LinearCAM()(classifier, inputs)
    _, maps = GradCAM()(classifier, inputs)
    torch.testing.assert_close(maps * (2 * 3), plain.detach())


def test_patches_after_the_last_attention_do_not_reach_the_cls_token():
    classifier = network('cls_vit')
    block, inputs = classifier.backbone.layers[-1], images(32, 48)
    with graph_from([block.ln1, block.ln2]) as outputs:
        logits = classifier.head(classifier.extract_feat(inputs))
        before, after = class_gradients(logits, [outputs[block.ln1], outputs[block.ln2]])
    assert (before[:, :, 1:].flatten(2).abs().amax(-1) > 1e-4).all()
    assert not after[:, :, 1:].any() and after[:, :, 0].any()


def test_a_layer_that_no_logit_depends_on_gives_zeros():
    backbone = dict(RESNET, out_indices=(2,))  # stage 4 runs, and nobody looks at it
    classifier = build(backbone, dict(CAM_HEAD, in_channels=32)).requires_grad_(False)
    _, maps = GradCAM((-2, -1))(classifier, images(64, 64))
    assert maps[:, 0].any() and not maps[:, 1].any()
    _, maps = GradCAM((-1,))(classifier, images(64, 64))
    assert maps.shape == (2, 1, 3, 2, 2) and not maps.any()


def test_images_do_not_interact():
    for name in NETWORKS:
        classifier, inputs = network(name), images(32, 64, count=3)
        _, together = GradCAM()(classifier, inputs)
        alone = [GradCAM()(classifier, image[None])[1] for image in inputs]
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('name', NETWORKS)
def test_one_forward_and_one_backward_pass_without_a_graph_before_the_first_layer(
    name, monkeypatch
):
    classifier = network(name)
    first, second, third = cam_layers(classifier.backbone)[-3:]
    ran, backward = [], []
    for layer in (first, second, third, classifier.head):
        layer.register_forward_hook(lambda layer, _, out: ran.append((layer, out.requires_grad)))
    grad = torch.autograd.grad

    def count_grad(*args, **kwargs):
        backward.append(args)
        return grad(*args, **kwargs)

    monkeypatch.setattr(torch.autograd, 'grad', count_grad)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        GradCAM((-1, -2))(classifier, images(32, 32))
    # the hook above sees the second layer's output before the graph begins
    assert ran == [(first, False), (second, False), (third, True), (classifier.head, True)]
    assert len(backward) == 1


def test_a_layer_that_changes_nothing_does_not_pull_its_input_into_the_graph():
    layer, image = torch.nn.Identity(), torch.ones(1, 2)
    with graph_from([layer]) as outputs:
        logits = layer(image) + 2 * image
        (gradient,) = class_gradients(logits, [outputs[layer]])
    assert gradient[:, 0].tolist() == [[1, 0], [0, 1]]
    assert not image.requires_grad


MODES = [torch.enable_grad, torch.no_grad, torch.inference_mode]


@pytest.mark.parametrize('frozen', [False, True])
@pytest.mark.parametrize('mode', MODES, ids=lambda mode: mode.__name__)
def test_result_and_state_do_not_depend_on_modes_outside(mode, frozen):
    classifier, inputs = network('cnn'), images(32, 32)
    expected = GradCAM((-2, -1))(classifier, inputs)
    classifier.requires_grad_(not frozen)
    with mode(), torch.autocast('cpu'):
        before = state(classifier)
        result = GradCAM((-2, -1))(classifier, inputs)
        assert state(classifier) == before
    for tensor, same in zip(result, expected, strict=True):
        assert torch.equal(tensor, same)
        assert tensor.dtype == torch.float32 and not tensor.requires_grad


@pytest.mark.parametrize('mode', MODES, ids=lambda mode: mode.__name__)
def test_a_broken_forward_leaves_nothing_behind(mode, monkeypatch):
    def fail(feats):
        assert torch.is_grad_enabled()
        raise RuntimeError('broken head')

    classifier = network('cnn')
    monkeypatch.setattr(classifier.head, 'forward', fail)
    with mode():
        before = state(classifier)
        with pytest.raises(RuntimeError, match='broken head'):
            GradCAM()(classifier, images(32, 32))
        assert state(classifier) == before


def state(classifier):
    """Everything that a call could leave changed; marks some of it before."""
    classifier.backbone.maxpool.train()  # flags differ among modules
    weight = classifier.head.classifier.weight
    weight.requires_grad_()
    if weight.grad is None:
        weight.grad = torch.ones_like(weight)
    return (
        [(m.training, len(m._forward_hooks), len(m._backward_hooks)) for m in classifier.modules()],
        [(p.requires_grad, p.grad is not None and p.grad.sum()) for p in classifier.parameters()],
        (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        torch.is_autocast_enabled('cpu'),
    )


def test_without_evidence_the_scores_are_zero():
    classifier = network('cls_vit')
    torch.nn.init.zeros_(classifier.head.classifier.weight[0])
    _, maps = GradCAM()(classifier, images(32, 48))
    assert not maps[:, :, 0].any() and maps[:, :, 1:].flatten(3).any(-1).all()
    for cams in maps[:, 0]:
        scores = cams_to_scores(cams, (32, 48), normalize=GradCAM.normalize)
        assert not scores[0].any()
        assert scores.min() == 0 and 0.5 < scores[1:].max() <= 1


def predict(classifier, inputs):
    with torch.no_grad():
        return classifier.predict(inputs)


def test_prediction_of_several_layers_is_their_fusion():
    cam = dict(type='mmsmoke.GradCAM', layers=(-3, -1))
    classifier, inputs = network('cls_vit', cam=cam), images(32, 48)
    _, maps = GradCAM((-3, -1))(classifier, inputs)
    for sample, signed in zip(predict(classifier, inputs), maps, strict=True):
        assert torch.equal(sample.cam_layers, signed.relu())
        fused = normalize_cams(normalize_cams(signed).mean(0))
        torch.testing.assert_close(sample.cams, fused)
        assert sample.cam_normalize == 'none'


def test_prediction_of_one_layer_is_that_layer():
    inputs = images(32, 48)
    classifier = network('cls_vit', cam=dict(type='mmsmoke.GradCAM'))
    once = predict(classifier, inputs)
    classifier.read_out = GradCAM((-1, 2))  # the same layer twice
    twice = predict(classifier, inputs)
    for one, two, signed in zip(once, twice, GradCAM()(classifier, inputs)[1], strict=True):
        assert torch.equal(one.cams, signed[0].relu()) and not hasattr(one, 'cam_layers')
        torch.testing.assert_close(two.cams, normalize_cams(one.cams))
        torch.testing.assert_close(normalize_cams(two.cams), two.cams)


def timm(model_name, **kwargs):
    return dict(type='TIMMBackbone', model_name=model_name, features_only=True, **kwargs)


CONVNEXT = dict(
    type='ConvNeXt', arch=dict(depths=[1, 1], channels=[8, 16]), gap_before_final_norm=False
)
FAMILIES = {
    'mmpretrain ViT': (PATCH_VIT, 24, lambda net: [block.ln1 for block in net.layers]),
    'mmpretrain ResNet': (RESNET, 64, lambda net: [net.layer1, net.layer2, net.layer3, net.layer4]),
    'mmpretrain ConvNeXt': (dict(CONVNEXT, out_indices=1), 16, lambda net: list(net.stages)),
    'timm ViT': (
        timm('test_vit', img_size=32, out_indices=(-1,)),
        64,
        lambda net: [block.norm1 for block in net.timm_model.model.blocks],
    ),
    'timm ResNet': (
        timm('test_resnet', out_indices=(2, 4)),
        96,
        lambda net: [net.timm_model.layer2, net.timm_model.layer4],
    ),
}


@pytest.mark.parametrize('family', FAMILIES)
def test_layers_of(family):
    backbone, in_channels, expected = FAMILIES[family]
    classifier = build(dict(backbone), dict(CAM_HEAD, in_channels=in_channels))
    layers = expected(classifier.backbone)
    found = cam_layers(classifier.backbone)
    assert len(found) > 1 and all(a is b for a, b in zip(found, layers, strict=True))
    for index in (0, -1):
        logits, maps = GradCAM((index,))(classifier, images(32, 32))
        assert maps.shape[:3] == (2, 1, 3) and maps.flatten(3).any(-1).all()
        assert logits.shape == (2, 3)


def test_unknown_backbones_are_named():
    classifier = build(dict(type='MobileNetV2', widen_factor=0.1), dict(CAM_HEAD, in_channels=1280))
    with pytest.raises(UserError, match=r'MobileNetV2 .* supports .*ResNets and ConvNeXts'):
        GradCAM()(classifier, images(32, 32))
    with pytest.raises(UserError, match='the layers of Bottle are not known'):
        cam_layers(type('Bottle', (torch.nn.Module,), {})())


@pytest.mark.parametrize('index', [4, -5])
def test_an_index_out_of_range_is_told_the_range(index):
    with pytest.raises(UserError, match=f'ResNet has 4 layers .*-4 to 3; .* no layer {index}$'):
        GradCAM((0, index))(network('cnn'), images(32, 32))


def test_no_layers_at_all():
    with pytest.raises(ValueError, match='one layer or more'):
        GradCAM(())


def test_tokens_without_a_map():
    head = dict(type='MultiLabelLinearClsHead', num_classes=3, in_channels=24)
    classifier = build(dict(type='VisionTransformer', **VIT), head)  # gives its CLS token alone
    with pytest.raises(UserError, match=r"map \[B, C, h, w\] of its 17 tokens.*'featmap'"):
        GradCAM()(classifier, images(32, 32))
