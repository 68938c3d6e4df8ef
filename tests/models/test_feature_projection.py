import pytest
import torch
from torch import nn

from mmsmoke.functional import transfer_distance
from mmsmoke.models import FeatureProjection
from mmsmoke.registry import MODELS

LEARNED = ('conv1x1', 'linear')
KINDS = (*LEARNED, 'identity', 'frozen_random')


def build(kind='conv1x1', in_channels=6, out_channels=3, seed=0, **kwargs):
    torch.manual_seed(seed)
    out_channels = in_channels if kind == 'identity' else out_channels
    return FeatureProjection(in_channels, out_channels, kind, **kwargs)


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def matrix(project):
    """Weight [D, C] and bias [D] of what the projection does at each position."""
    if project.kind == 'identity':
        return torch.eye(project.in_channels), torch.zeros(project.in_channels)
    if project.kind == 'frozen_random':
        return project.weight[:, :, 0, 0], torch.zeros(project.out_channels)
    return project.layer.weight.flatten(1), project.layer.bias


@pytest.mark.parametrize('kind', KINDS)
def test_every_position_is_multiplied_by_the_same_matrix(kind):
    project, x = build(kind), features(2, 6, 3, 5)
    weight, bias = matrix(project)
    projected = project(x)
    assert projected.shape == (2, project.out_channels, 3, 5)
    for row in range(3):
        for column in range(5):
            expected = x[:, :, row, column] @ weight.T + bias
            torch.testing.assert_close(projected[:, :, row, column], expected)


@pytest.mark.parametrize('extra', [0, 1, 5])
@pytest.mark.parametrize('kind', KINDS)
def test_tokens_are_laid_out_row_by_row_without_the_extra_ones(kind, extra):
    project, x = build(kind, num_extra_tokens=extra), features(2, 6, 3, 5)
    rows = [x[:, :, i, j] for i in range(3) for j in range(5)]
    tokens = torch.stack([torch.full((2, 6), 99.0)] * extra + rows, dim=1)
    torch.testing.assert_close(project(tokens, hw=(3, 5)), project(x))


def test_a_square_number_of_tokens_needs_no_grid():
    project, tokens = build(num_extra_tokens=1), features(2, 17, 6)
    assert torch.equal(project(tokens), project(tokens, hw=(4, 4)))


def test_a_map_has_its_own_grid_and_no_extra_tokens():
    x = features(2, 6, 3, 5)
    assert torch.equal(build(num_extra_tokens=1)(x, hw=(9, 9)), build()(x))


@pytest.mark.parametrize('sequence', [tuple, list])
def test_only_the_last_of_several_maps_counts(sequence):
    project, x = build(), features(2, 6, 3, 5)
    assert torch.equal(project(sequence([features(2, 4, 8, 8), x])), project(x))
    tokens = features(2, 8, 6)
    assert torch.equal(project(sequence([tokens]), hw=(2, 4)), project(tokens, (2, 4)))


@pytest.mark.parametrize(
    ('kind', 'layer', 'parameters', 'buffers'),
    [
        ('conv1x1', nn.Conv2d, ['layer.weight', 'layer.bias'], []),
        ('linear', nn.Linear, ['layer.weight', 'layer.bias'], []),
        ('identity', type(None), [], []),
        ('frozen_random', type(None), [], ['weight']),
    ],
)
def test_what_each_kind_learns_and_saves(kind, layer, parameters, buffers):
    project = build(kind)
    assert type(getattr(project, 'layer', None)) is layer
    assert [name for name, _ in project.named_parameters()] == parameters
    assert list(project.state_dict()) == parameters + buffers


@pytest.mark.parametrize('kind', KINDS)
def test_a_saved_projection_loads_into_one_of_its_kind(kind, tmp_path):
    saved, loaded, x = build(kind), build(kind, seed=1), features(2, 6, 3, 5)
    torch.save(saved.state_dict(), tmp_path / 'state.pth')
    assert torch.equal(loaded(x), saved(x)) == (kind == 'identity')
    loaded.load_state_dict(torch.load(tmp_path / 'state.pth'))
    assert torch.equal(loaded(x), saved(x))


def gives_the_same_loss_again(project):
    x, teacher = features(2, 6, 3, 5), features(2, 3, 3, 5, seed=1)
    first, second = (transfer_distance(project(x), teacher) for _ in range(2))
    return torch.equal(first, second)


def test_a_frozen_projection_gives_the_same_loss_again_but_a_resampled_one_does_not():
    project = build('frozen_random')
    assert gives_the_same_loss_again(project)
    project.init_weights()
    assert torch.equal(project.weight, build('frozen_random').weight)
    assert not gives_the_same_loss_again(lambda x: FeatureProjection(6, 3, 'frozen_random')(x))


def test_a_frozen_projection_follows_the_seed():
    first, same, other = (build('frozen_random', seed=seed).weight for seed in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.parametrize('width', [16, 768])
def test_a_frozen_projection_keeps_the_variance(width):
    project = build('frozen_random', width, 256)
    assert project(features(4, width, 8, 8)).var().item() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize('kind', KINDS)
def test_gradients_flow_through_to_the_features(kind):
    project, x = build(kind), features(2, 6, 3, 5).requires_grad_()
    project(x).square().sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(parameter.grad.abs().sum() > 0 for parameter in project.parameters())


@pytest.mark.usefixtures('mmpretrain_scope')
def test_configs_find_it_and_initialise_it():
    init_cfg = dict(type='Constant', layer='Conv2d', val=0.5, bias=2)
    config = dict(type='mmsmoke.FeatureProjection', in_channels=4, out_channels=2)
    project = MODELS.build(dict(**config, init_cfg=init_cfg))
    assert project.kind == 'conv1x1'
    project.init_weights()
    assert torch.equal(project(torch.ones(1, 4, 2, 2)), torch.full((1, 2, 2, 2), 4.0))


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match=r'one of conv1x1, .*frozen_random, got .mlp'):
        FeatureProjection(4, 4, 'mlp')


def test_identity_cannot_change_the_number_of_channels():
    with pytest.raises(ValueError, match='in_channels 4 and out_channels 2 must be equal'):
        FeatureProjection(4, 2, 'identity')


@pytest.mark.parametrize(
    ('tokens', 'hw', 'message'),
    [
        (15, None, '15 tokens make no square grid: give hw'),
        (17, None, '17 tokens make no square grid: give hw'),
        (16, (3, 5), r'hw \(3, 5\) has no room for exactly 16 tokens'),
        (16, (3, 6), r'hw \(3, 6\) has no room for exactly 16 tokens'),
    ],
)
def test_tokens_that_fill_no_grid_are_refused(tokens, hw, message):
    with pytest.raises(ValueError, match=message):
        build(num_extra_tokens=1)(features(2, 1 + tokens, 6), hw)
