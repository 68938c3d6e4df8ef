import pytest
import torch
from mmpretrain.models.utils import MultiheadAttention
from torch.nn.functional import scaled_dot_product_attention

from mmsmoke.models.cams.attention import attend, attention_layers, record_attention
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

SIZE = (28, 42)
ARCH = dict(embed_dims=24, num_layers=3, num_heads=2, feedforward_channels=48)
VIT = dict(type='VisionTransformer', out_type='featmap', arch=ARCH, img_size=28, patch_size=7)
TIMM = dict(
    type='TIMMBackbone', model_name='vit_small_patch14_dinov2', features_only=True,
    out_indices=(-1,), img_size=SIZE, patch_size=7, embed_dim=24, depth=3, num_heads=2,
)  # fmt: skip
CONFORMER = dict(
    type='Conformer', base_channels=16,
    arch=dict(embed_dims=24, depths=6, num_heads=2, channel_ratio=1),
)  # fmt: skip
# the network, its blocks, heads, grid, and tokens that are no patches
FAMILIES = {
    'mmpretrain ViT': (VIT, 3, 2, (4, 6), 1),
    'without CLS': (dict(VIT, with_cls_token=False), 3, 2, (4, 6), 0),
    'DeiT with a token to distil': (dict(VIT, type='DistilledVisionTransformer'), 3, 2, (4, 6), 2),
    'DINOv2 of mmpretrain': (dict(VIT, layer_scale_init_value=1e-5), 3, 2, (4, 6), 1),
    'CLS and map': (dict(VIT, type='mmsmoke.ViTWithCLS'), 3, 2, (4, 6), 1),
    'BEiT': (dict(VIT, type='BEiTViT', arch=ARCH, img_size=(28, 42)), 3, 2, (4, 6), 1),
    'DINOv2 of timm': (TIMM, 3, 2, (4, 6), 1),
    'with registers': (dict(TIMM, model_name='vit_small_patch14_reg4_dinov2'), 3, 2, (4, 6), 5),
    'positions as angles': (
        dict(
            TIMM, model_name='vit_small_patch16_dinov3', patch_size=7, embed_dim=48, num_heads=3
        ),
        3, 3, (4, 6), 5,
    ),
    'Conformer': (CONFORMER, 6, 2, (2, 3), 1),
}  # fmt: skip


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(family):
    backbone, *others = FAMILIES[family]
    network = MODELS.build(dict(backbone))
    network.eval()
    for key, parameter in network.named_parameters():
        if 'qkv' in key and parameter.dim() > 1:  # so that attention is not nearly uniform
            torch.nn.init.normal_(parameter, std=0.5)
    return network, *others


def pictures(count=2, size=SIZE):
    return torch.randn(count, 3, *size)


def flat(outputs):
    return [x for one in outputs for x in (one if isinstance(one, list | tuple) else [one])]


@pytest.mark.parametrize('family', FAMILIES)
def test_attention_of_each_block_and_head_is_recorded(family):
    network, blocks, heads, grid, extra = build(family)
    with torch.no_grad():
        inputs = pictures()
        expected = flat(network(inputs))
        with record_attention(network) as found:
            outputs = flat(network(inputs))
    tokens = extra + grid[0] * grid[1]
    assert found.grid == grid and found.patches == grid[0] * grid[1]
    assert [tuple(block.shape) for block in found.blocks] == [(2, heads, tokens, tokens)] * blocks
    for block, mean in zip(found.blocks, found.means, strict=True):
        torch.testing.assert_close(block.sum(-1), torch.ones(2, heads, tokens))
        torch.testing.assert_close(mean, block.mean(1))
        assert block.std() > 1e-3
    torch.testing.assert_close(outputs, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    'family', [name for name in FAMILIES if name not in ('BEiT', 'positions as angles')]
)
def test_it_is_the_softmax_of_queries_and_keys(family):
    network, _, heads, _, _ = build(family)
    seen = []
    handles = [
        layer.register_forward_hook(lambda layer, inputs, _: seen.append((layer, inputs[0])))
        for layer in attention_layers(network)
    ]
    with torch.no_grad(), record_attention(network) as found:
        network(pictures())
    for handle in handles:
        handle.remove()
    for (layer, tokens), attention in zip(seen, found.blocks, strict=True):
        query, key, _ = layer.qkv(tokens).chunk(3, -1)
        width = query.shape[-1] // heads
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            dots = torch.einsum('bic,bjc->bij', query[..., part], key[..., part])
            expected = (dots * width**-0.5).softmax(-1)
            torch.testing.assert_close(attention[:, head], expected, rtol=1e-4, atol=1e-5)


def test_attention_that_mmpretrain_computes_in_steps_itself():
    network, *_ = build('mmpretrain ViT')
    network.layers[-1].attn = MultiheadAttention(24, 2, qk_scale=0.3)
    inputs = pictures()
    (expected,) = network(inputs)
    with record_attention(network) as found:
        (output,) = network(inputs)
    assert len(found.blocks) == 3 and torch.allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize('family', ['mmpretrain ViT', 'DINOv2 of timm', 'Conformer'])
def test_in_training_a_loss_of_attention_trains_the_network(family):
    network, *_ = build(family)
    network.train()
    layers = attention_layers(network)
    with record_attention(network, heads=False) as found:
        network(pictures())
    assert not found.blocks
    torch.stack(found.means)[:, :, 0, -1].sum().backward()
    for layer in layers:
        assert layer.qkv.weight.grad.any()


@pytest.mark.parametrize('family', ['mmpretrain ViT', 'DINOv2 of timm'])
def test_it_is_what_dropout_gets(family):
    """Rows add up to one in training, too, and the output is that of a network with dropout."""
    network, *_ = build(family)
    network.train()
    for layer in attention_layers(network):
        if isinstance(layer.attn_drop, float):
            layer.attn_drop = 0.5
        else:
            layer.attn_drop.p = 0.5
    inputs = pictures()
    with record_attention(network) as found:
        once = flat(network(inputs))
    again = flat(network(inputs))
    torch.testing.assert_close(found.blocks[0].sum(-1), torch.ones(found.blocks[0].shape[:-1]))
    assert not torch.allclose(once[0], again[0])


@pytest.mark.parametrize('start', [1, -2])
def test_the_graph_begins_at_a_block(start):
    network, *_ = build('mmpretrain ViT')
    with torch.inference_mode():
        with record_attention(network, start) as found:
            (output,) = network(pictures())
        assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()
    first, later = found.blocks
    assert len(found.means) == 3 and first.is_leaf and first.requires_grad
    assert not found.means[0].requires_grad and later.requires_grad
    gradients = torch.autograd.grad(output.square().sum(), [first, later])
    assert all(one.any() for one in gradients)


@pytest.mark.parametrize('family', FAMILIES)
def test_nothing_is_left_hooked(family):
    network, *_ = build(family)

    def state():
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in network.modules()]
        return hooks, torch.is_grad_enabled(), [sorted(vars(m)) for m in network.modules()]

    before = state()
    with record_attention(network, start=-1) as found:
        network(pictures())
    assert state() == before
    network(pictures())
    assert len(found.means) == len(attention_layers(network))  # of the first pass alone


def test_a_pass_that_breaks_leaves_nothing_behind():
    network, *_ = build('mmpretrain ViT')
    network.layers[1].attn.proj.forward = None
    with pytest.raises(TypeError), record_attention(network) as found:
        network(pictures())
    scaled_dot_product_attention(*torch.randn(3, 1, 2, 5, 4))
    torch.randn(3, 3).softmax(-1)
    assert len(found.means) == 2
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ('backbone', 'message'),
    [
        (dict(type='ResNet', depth=18), 'ResNet has no attention .* ViTs of mmpretrain'),
        (
            dict(
                type='SwinTransformer',
                arch=dict(embed_dims=8, depths=[1, 1], num_heads=[1, 1]),
                out_indices=(1,),
            ),
            'SwinTransformer has no attention between all patches',
        ),
        (
            dict(type='TIMMBackbone', model_name='test_efficientnet', features_only=True),
            'has no attention between all patches',
        ),
    ],
)
def test_networks_without_attention_are_named(backbone, message):
    with pytest.raises(UserError, match=message), record_attention(MODELS.build(backbone)):
        pass


def test_attention_within_windows_is_named():
    windows = dict(ARCH, global_attn_indexes=[])
    network = MODELS.build(
        dict(
            type='ViTSAM', arch=windows, img_size=64, patch_size=8, window_size=4, out_channels=0,
            out_type='featmap',
        )
    )  # fmt: skip
    with (
        pytest.raises(UserError, match='ViTSAM attends within windows of 16 of its 64 patches'),
        record_attention(network),
    ):
        network(torch.randn(1, 3, 64, 64))


def test_a_layer_that_attends_in_another_way_is_named():
    network, *_ = build('mmpretrain ViT')
    network.layers[0].attn = torch.nn.Identity()
    with (
        pytest.raises(UserError, match='Identity uses neither a softmax nor scaled_dot_product'),
        record_attention(network),
    ):
        network(pictures())


@pytest.mark.parametrize('start', [3, -4])
def test_a_block_that_does_not_exist(start):
    network, *_ = build('mmpretrain ViT')
    message = f'VisionTransformer has 3 blocks, -3 to 2; there is no block {start}'
    with pytest.raises(UserError, match=message), record_attention(network, start):
        pass


@pytest.mark.parametrize(
    'options',
    [
        {},
        dict(scale=0.3),
        dict(attn_mask=torch.randn(5, 5)),
        dict(attn_mask=torch.eye(5, dtype=torch.bool)),
    ],
)
def test_steps_do_what_fused_attention_does(options):
    tensors = torch.randn(3, 2, 4, 5, 8)
    kept = []
    found = attend(*tensors, **options, note=lambda one: kept.append(one) or one)
    torch.testing.assert_close(found, scaled_dot_product_attention(*tensors, **options))
    torch.testing.assert_close(kept[0] @ tensors[2], found)


def test_attention_that_looks_back_only():
    with pytest.raises(UserError, match='looks back only'):
        attend(*torch.randn(3, 1, 2, 5, 4), is_causal=True, note=lambda one: one)
