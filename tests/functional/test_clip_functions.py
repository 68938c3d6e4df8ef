import math
from itertools import product

import pytest
import torch

from mmsmoke.functional import color_disagreement, pool_clips, share_of_mass, unchanged

CLIPS = torch.tensor([0, 1, 0, 1, 1, 0, 1])


@pytest.fixture
def values():
    return torch.randn(7, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.mark.parametrize(
    ('pool', 'expected'),
    [
        ('max', lambda found: max(found)),
        ('mean', lambda found: sum(found) / len(found)),
        (0.5, lambda found: sum(sorted(found)[-2:]) / 2),
        (0.01, max),
        (
            'softmax',
            lambda found: (
                sum(one * math.exp(one) for one in found) / sum(math.exp(one) for one in found)
            ),
        ),
    ],
)
def test_each_clip_and_class_is_pooled_by_itself(values, pool, expected):
    found = pool_clips(values, CLIPS, pool)
    for clip, k in product(range(2), range(2)):
        of_clip = values[clip == CLIPS, k].tolist()
        assert found[clip, k].item() == pytest.approx(expected(of_clip), abs=1e-6)


def test_a_clip_of_one_frame_is_that_frame(values):
    for pool in ('max', 'mean', 'softmax', 0.3):
        assert torch.allclose(pool_clips(values, torch.arange(7), pool), values)


def test_only_the_strongest_frame_learns_from_a_maximum(values):
    pool_clips(values, CLIPS, 'max')[:, 0].sum().backward()
    assert values.grad[:, 0].count_nonzero() == 2


def test_order_of_frames_does_not_matter(values):
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    for pool in ('max', 'mean', 'softmax', 0.5):
        found = pool_clips(values[order], CLIPS[order], pool)
        assert torch.allclose(found, pool_clips(values, CLIPS, pool))


@pytest.mark.parametrize('pool', ['min', 0.0, 1.0, 2])
def test_what_is_no_pool_is_refused(values, pool):
    with pytest.raises(ValueError, match='pool must be one of'):
        pool_clips(values, CLIPS, pool)


# Colours


def drawn(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_disagreement_is_that_of_the_definition():
    colors, chances, frames = drawn(9, 3), drawn(9, 2), torch.arange(9) // 3
    expected = torch.zeros(2)
    weights = 0.0
    for i, j in product(range(9), range(9)):
        if frames[i] != frames[j]:
            weight = math.exp(-(colors[i] - colors[j]).square().sum() / (2 * 0.3**2))
            weights += weight
            expected += weight * chances[i] * (1 - chances[j])
    found = color_disagreement(colors, chances, frames, 0.3)
    assert torch.allclose(found, expected / weights, atol=1e-5)


def test_pixels_that_are_called_alike_do_not_disagree():
    colors, frames = drawn(8, 3), torch.arange(8) // 4
    for called in (0.0, 1.0):
        assert color_disagreement(colors, torch.full((8, 1), called), frames).item() == 0
    by_color = (colors[:, :1] > 0.5).float()
    two_colors = by_color.expand(-1, 3) * 9
    assert color_disagreement(two_colors, by_color, frames).item() < 1e-6
    assert color_disagreement(two_colors, drawn(8, 1).round(), frames).item() > 0.1


def test_one_frame_alone_has_nothing_to_disagree_with():
    chances = drawn(5, 1).requires_grad_()
    loss = color_disagreement(drawn(5, 3), chances, torch.zeros(5)).sum()
    loss.backward()
    assert loss.item() == 0 and not chances.grad.any()


# What stands still


def test_a_clip_that_stands_still_is_unchanged_everywhere():
    frames = drawn(1, 3, 4, 4).expand(5, -1, -1, -1)
    assert (unchanged(frames) == 1).all()


def test_what_is_there_for_once_has_changed():
    frames = drawn(1, 3, 4, 4).repeat(5, 1, 1, 1)
    frames[2, :, 1, 1] += 1
    found = unchanged(frames, 0.1)
    assert found[2, 1, 1] < 1e-6
    found[2, 1, 1] = 1
    assert (found == 1).all()


def test_unchanged_is_that_of_the_definition():
    frames = drawn(3, 2, 2, 2)
    found = unchanged(frames, 0.4)
    for t, y, x in product(range(3), range(2), range(2)):
        medians = [sorted(frames[:, c, y, x].tolist())[1] for c in range(2)]
        square = sum((frames[t, c, y, x].item() - medians[c]) ** 2 for c in range(2)) / 2
        assert found[t, y, x].item() == pytest.approx(math.exp(-square / 0.32), rel=1e-4)


def test_share_of_mass():
    maps = torch.tensor([[[[3.0, -5.0], [1.0, 0.0]]], [[[-1.0, -1.0], [0.0, 0.0]]]])
    places = torch.tensor([[[1.0, 1.0], [0.5, 0.0]], [[1.0, 1.0], [1.0, 1.0]]])
    assert share_of_mass(maps, places).tolist() == [[0.875], [0.0]]
    assert torch.allclose(share_of_mass(7 * maps, places), share_of_mass(maps, places))


def test_where_all_stands_still_the_penalty_pushes_nowhere():
    maps = drawn(2, 1, 3, 3).requires_grad_()
    share_of_mass(maps, torch.ones(2, 3, 3)).sum().backward()
    assert maps.grad.abs().max() < 1e-6
