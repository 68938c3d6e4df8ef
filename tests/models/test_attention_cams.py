"""Read-outs of what a transformer attends to."""

import pytest
import torch
from torch import nn

from mmsmoke.functional import resize_maps
from mmsmoke.models import AttentionCAM, AttentionGradCAM, AttentionRollout, LinearCAM
from mmsmoke.models.cams.attention import attention_layers, record_attention
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

ARCH = dict(embed_dims=24, num_layers=3, num_heads=2, feedforward_channels=48)
VIT = dict(arch=ARCH, img_size=32, patch_size=8)
PATCH_VIT = dict(type='VisionTransformer', out_type='featmap', **VIT)
CAM_HEAD = dict(type='mmsmoke.CAMHead', in_channels=24)
TIMM = dict(
    type='TIMMBackbone', model_name='vit_small_patch14_reg4_dinov2', features_only=True,
    out_indices=(-1,), img_size=(32, 48), patch_size=8, embed_dim=24, depth=3, num_heads=2,
)  # fmt: skip
CONFORMER = dict(
    type='Conformer', base_channels=16,
    arch=dict(embed_dims=24, depths=6, num_heads=2, channel_ratio=1),
)  # fmt: skip
NETWORKS = dict(
    cls_vit=(dict(type='mmsmoke.ViTWithCLS', **VIT), dict(type='mmsmoke.CLSHead', in_channels=24)),
    patch_vit=(PATCH_VIT, CAM_HEAD),
    max_vit=(PATCH_VIT, dict(CAM_HEAD, pool='max')),
    no_cls=(dict(PATCH_VIT, with_cls_token=False), CAM_HEAD),
    timm=(TIMM, CAM_HEAD),
    conformer=(CONFORMER, CAM_HEAD),
)
SIZE, GRID = (32, 48), (4, 6)


class BothBranches(nn.Module):
    """Classify the pooled map and the CLS token of a Conformer, and add the logits."""

    num_classes = 3

    def __init__(self):
        super().__init__()
        self.cnn, self.cls = nn.Linear(64, 3), nn.Linear(24, 3)

    def forward(self, feats):
        return self.cnn(feats[-1][0]) + self.cls(feats[-1][1])


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def network(name, **kwargs):
    backbone, head = NETWORKS[name]
    config = dict(backbone=dict(backbone), head=dict(head, num_classes=3), **kwargs)
    classifier = MODELS.build(dict(type='mmsmoke.CAMClassifier', **config))
    if name == 'conformer':
        classifier.head = BothBranches()
    for key, parameter in classifier.named_parameters():
        if parameter.dim() > 1 and 'embed' not in key:  # larger than the usual initial values
            nn.init.xavier_normal_(parameter)
    return classifier.eval()


def pictures(count=2):
    return torch.randn(count, 3, *SIZE)


def attention_of(classifier, inputs):
    """Return the attention of all blocks, [L, B, heads, T, T]."""
    with torch.no_grad(), record_attention(classifier.backbone) as found:
        classifier.extract_feat(inputs)
    return torch.stack(found.blocks)


def naive_gradients(classifier, image, k):
    """Return the gradients for one image and class by a backward pass of their own."""
    with torch.enable_grad(), record_attention(classifier.backbone) as found:
        logits = classifier.head(classifier.extract_feat(image[None], stage='backbone'))
    gradients = torch.autograd.grad(logits[0, k], found.blocks)
    return torch.cat(gradients).view(len(gradients), *gradients[0].shape[1:])


def naive_map(gradients, start, patches, by_cls):
    total = torch.zeros(patches)
    for block in gradients[start:]:
        mean = sum(head.clamp(min=0) for head in block) / len(block)
        row = mean[0] if by_cls else mean[-patches:].mean(0)
        total += row[-patches:]
    return total


@pytest.mark.parametrize('start', [0, -2])
@pytest.mark.parametrize(
    ('name', 'by_cls', 'grid'),
    [
        ('cls_vit', True, GRID),
        ('patch_vit', False, GRID),
        ('max_vit', False, GRID),
        ('no_cls', False, GRID),
        ('timm', False, GRID),
        ('conformer', True, (2, 3)),
    ],
)
def test_attention_grad_cam_equals_a_backward_pass_for_each_class(name, by_cls, grid, start):
    classifier, inputs = network(name), pictures()
    logits, maps = AttentionGradCAM(start, propagate=False)(classifier, inputs)
    assert maps.shape == (2, 1, 3, *grid) and maps.min() >= 0 and maps.any()
    with torch.no_grad():
        expected = classifier.head(classifier.extract_feat(inputs, stage='backbone'))
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    for image, layers in zip(inputs, maps, strict=True):
        for k in range(3):
            gradients = naive_gradients(classifier, image, k)
            by_hand = naive_map(gradients, start, grid[0] * grid[1], by_cls)
            torch.testing.assert_close(layers[0, k].flatten(), by_hand, rtol=1e-3, atol=1e-6)


def test_propagation_spreads_along_the_attention_of_all_blocks():
    classifier, inputs = network('cls_vit'), pictures()
    _, plain = AttentionGradCAM(propagate=False)(classifier, inputs)
    _, spread = AttentionGradCAM()(classifier, inputs)
    matrix = attention_of(classifier, inputs).mean(2).sum(0)[:, 1:, 1:]
    by_hand = torch.einsum('bij,bkj->bki', matrix, plain[:, 0].flatten(2))
    torch.testing.assert_close(spread[:, 0].flatten(2), by_hand)


def test_classes_without_a_positive_gradient_have_an_empty_map():
    classifier = network('cls_vit')
    nn.init.zeros_(classifier.head.classifier.weight[1])
    _, maps = AttentionGradCAM()(classifier, pictures())
    assert not maps[:, :, 1].any() and maps[:, :, [0, 2]].flatten(3).any(-1).all()


def test_the_graph_begins_at_the_first_block_that_counts():
    classifier = network('cls_vit').requires_grad_(False)
    ran = []
    for layer in (*classifier.backbone.layers, classifier.head):
        layer.register_forward_hook(lambda layer, _, output: ran.append(output.requires_grad))
    with torch.inference_mode(), torch.autocast('cpu'):
        found = AttentionGradCAM(-2)(classifier, pictures())
    assert ran == [False, True, True, True]
    assert all(one.dtype == torch.float32 and not one.requires_grad for one in found)


@pytest.mark.parametrize('name', ['patch_vit', 'no_cls', 'timm'])
def test_attention_cam_takes_from_what_a_patch_attends_to(name):
    """Row i receives from j: attention is not symmetric."""
    classifier, inputs = network(name), pictures()
    matrix = attention_of(classifier, inputs).mean(2).sum(0)[:, -24:, -24:]
    with torch.no_grad():
        logits, linear = LinearCAM()(classifier, inputs)
        found, maps = AttentionCAM()(classifier, inputs)
    by_hand = torch.einsum('bij,bkj->bki', matrix, linear[:, 0].flatten(2))
    torch.testing.assert_close(maps[:, 0].flatten(2), by_hand, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-5)
    transposed = torch.einsum('bji,bkj->bki', matrix, linear[:, 0].flatten(2))
    assert not torch.allclose(transposed, by_hand, rtol=0.01)


def test_patches_that_attend_to_all_alike_have_one_value():
    classifier, inputs = network('no_cls'), pictures()
    for layer in attention_layers(classifier.backbone):
        layer.qkv.weight.data[:48] = layer.qkv.bias.data[:48] = 0  # queries and keys
    with torch.no_grad():
        _, linear = LinearCAM()(classifier, inputs)
        _, maps = AttentionCAM()(classifier, inputs)
    torch.testing.assert_close(maps, 3 * linear.mean((-2, -1), keepdim=True).expand_as(maps))


@pytest.mark.parametrize(
    ('cam', 'layers'), [('GradCAM', [-2, -1]), ('ScoreCAM', [-1]), ('AttentionGradCAM', None)]
)
def test_any_map_can_be_spread(cam, layers):
    inner = dict(type=f'mmsmoke.{cam}', **(dict(layers=layers) if layers else {}))
    classifier, inputs = network('cls_vit'), pictures()
    _, plain = MODELS.build(inner)(classifier, inputs)
    matrix = attention_of(classifier, inputs).mean(2).sum(0)[:, 1:, 1:]
    _, maps = AttentionCAM(inner)(classifier, inputs)
    by_hand = torch.einsum('bij,blkj->blki', matrix, plain.flatten(3))
    torch.testing.assert_close(maps.flatten(3), by_hand, rtol=1e-4, atol=1e-5)


class Coarse:
    """Read out the same map [1, 1, 2, 3] for all."""

    normalize, fuse = 'max', staticmethod(lambda layers: layers[0])
    maps = torch.arange(6.0).view(1, 1, 2, 3)

    def __call__(self, classifier, inputs):
        classifier.extract_feat(inputs)
        return torch.zeros(len(inputs), 1), self.maps.expand(len(inputs), 1, 1, 2, 3)


def test_maps_of_another_grid_are_resized_to_that_of_the_patches():
    classifier, inputs = network('patch_vit'), pictures()
    read_out = AttentionCAM()
    read_out.cam = Coarse()
    with torch.no_grad():
        _, maps = read_out(classifier, inputs)
    matrix = attention_of(classifier, inputs).mean(2).sum(0)[:, 1:, 1:]
    fine = resize_maps(Coarse.maps, GRID).flatten()
    torch.testing.assert_close(maps[:, 0, 0].flatten(1), matrix @ fine)


def test_views_go_around_it():
    with pytest.raises(UserError, match='put AttentionCAM into MultiScaleCAM'):
        AttentionCAM(dict(type='mmsmoke.MultiScaleCAM'))


def test_rollout_is_the_row_of_cls_in_the_product_of_blocks():
    classifier, inputs = network('cls_vit'), pictures()
    _, maps = AttentionRollout()(classifier, inputs)
    assert maps.shape == (2, 1, 3, *GRID)
    first, second, third = (attention_of(classifier, inputs).mean(2) + torch.eye(25)) / 2
    by_hand = (third @ second @ first)[:, 0, 1:]
    for k in range(3):  # it does not ask for a class
        torch.testing.assert_close(maps[:, 0, k].flatten(1), by_hand)


def test_rollout_without_cls_is_the_mean_row():
    classifier, inputs = network('no_cls'), pictures()
    _, maps = AttentionRollout()(classifier, inputs)
    first, second, third = (attention_of(classifier, inputs).mean(2) + torch.eye(24)) / 2
    torch.testing.assert_close(maps[:, 0, 0].flatten(1), (third @ second @ first).mean(1))


READ_OUTS = [AttentionRollout(), AttentionGradCAM(), AttentionGradCAM(0, propagate=False)]


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('read_out', READ_OUTS, ids=lambda one: type(one).__name__)
def test_images_do_not_interact_and_nothing_is_left_behind(read_out, name):
    classifier, inputs = network(name), pictures(3)

    def state():
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in classifier.modules()]
        return hooks, torch.is_grad_enabled(), [p.grad for p in classifier.parameters()]

    before = state()
    logits, together = read_out(classifier, inputs)
    assert state() == before and not together.requires_grad
    alone = [read_out(classifier, image[None]) for image in inputs]
    torch.testing.assert_close(
        (logits, together),
        tuple(torch.cat(found) for found in zip(*alone, strict=True)),
        rtol=1e-3,
        atol=1e-6,
    )


def test_images_do_not_interact_in_attention_cam():
    classifier, inputs = network('patch_vit'), pictures(3)
    with torch.no_grad():
        _, together = AttentionCAM()(classifier, inputs)
        alone = [AttentionCAM()(classifier, image[None])[1] for image in inputs]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('cam', ['AttentionRollout', 'AttentionGradCAM', 'AttentionCAM'])
def test_it_works_inside_views_of_a_prediction(cam):
    cam = dict(type=f'mmsmoke.{cam}')
    classifier = network('patch_vit', cam=cam, views=dict(recipe='acr', scales=(1, 1.5)))
    with torch.no_grad():
        for sample in classifier.predict(pictures()):
            assert sample.cams.shape == (3, *SIZE) and sample.cams.any()
            assert sample.cam_normalize == 'minmax'


def test_it_works_under_a_distiller():
    student = dict(
        type='mmsmoke.CAMClassifier',
        data_preprocessor=dict(mean=[128] * 3, std=[64] * 3, to_rgb=True),
        backbone=PATCH_VIT,
        head=dict(CAM_HEAD, num_classes=1),
    )
    cnn = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
    teacher = dict(student, backbone=cnn, head=dict(CAM_HEAD, num_classes=1, in_channels=64))
    distiller = MODELS.build(
        dict(
            type='mmsmoke.CrossArchDistiller',
            student=dict(student, cam=dict(type='mmsmoke.AttentionGradCAM')),
            teacher=teacher,
            align='class_maps',
            transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss'),
        )
    ).eval()
    inputs = pictures()
    for cam in (None, dict(type='mmsmoke.AttentionCAM'), dict(type='mmsmoke.LayerCAM')):
        if cam:
            distiller.read_out_by(cam)
        with torch.no_grad():
            found = distiller.predict(inputs)
            _, maps = distiller.student.read_out(distiller.student, inputs)
        for sample, layers in zip(found, maps, strict=True):
            torch.testing.assert_close(sample.cams, layers[0].relu())


def test_networks_without_attention_are_named():
    cnn = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
    config = dict(backbone=cnn, head=dict(CAM_HEAD, num_classes=1, in_channels=64))
    classifier = MODELS.build(dict(type='mmsmoke.CAMClassifier', **config))
    for read_out in (AttentionCAM(), AttentionRollout(), AttentionGradCAM()):
        with pytest.raises(UserError, match='ResNet has no attention between all patches'):
            read_out(classifier, pictures())


def test_a_block_to_start_with_that_does_not_exist():
    with pytest.raises(UserError, match='has 3 blocks, -3 to 2; there is no block 10'):
        AttentionGradCAM(start_layer=10)(network('cls_vit'), pictures())
