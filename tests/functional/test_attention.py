import numpy as np
import pytest
import torch

from mmsmoke.functional import (
    attention_affinity,
    attention_rollout,
    box_mask,
    class_attention,
    propagate,
    sinkhorn,
    taken_from_patches,
)


def attention(count, seed=0, sharpness=1.0):
    logits = torch.randn(count, count, generator=torch.Generator().manual_seed(seed))
    return (sharpness * logits).softmax(-1).double()


def test_rows_and_columns_add_up_to_about_one():
    # rows that did not, as of attention without the CLS token
    matrix = attention(40) * torch.linspace(0.2, 1, 40)[:, None]
    balanced = sinkhorn(matrix)
    assert torch.allclose(balanced.sum(1), torch.ones(40).double())
    assert (balanced.sum(0) - 1).abs().max() < 0.05
    errors = [(sinkhorn(matrix, rounds).sum(0) - 1).abs().max() for rounds in (0, 1, 2, 3, 20)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-3


def test_sinkhorn_is_columns_then_rows_three_times():
    matrix = attention(5).numpy()
    expected = matrix.copy()
    for _ in range(3):
        for j in range(5):
            expected[:, j] /= sum(expected[i, j] for i in range(5))
        for i in range(5):
            expected[i] /= sum(expected[i, j] for j in range(5))
    assert np.allclose(sinkhorn(torch.tensor(matrix)), expected)


def test_a_doubly_stochastic_matrix_stays():
    matrix = torch.tensor([[0.2, 0.8], [0.8, 0.2]])
    assert torch.allclose(sinkhorn(matrix), matrix)


def test_a_patch_that_nobody_attends_to_makes_no_nan():
    matrix = attention(6).float()
    matrix[:, 2] = 0
    matrix[4] = 0
    balanced = sinkhorn(matrix)
    assert balanced.isfinite().all()
    assert not balanced[:, 2].any() and not balanced[4].any()


def test_affinity_is_symmetric_and_keeps_the_mean_of_both_directions():
    matrix = attention(7)
    affinity = attention_affinity(matrix)
    balanced = sinkhorn(matrix)
    assert torch.equal(affinity, affinity.T)
    assert not torch.allclose(balanced, balanced.T, atol=0.01)
    assert affinity[2, 5] == pytest.approx(float(balanced[2, 5] + balanced[5, 2]) / 2)


def test_a_batch_is_balanced_matrix_by_matrix():
    batch = torch.stack([attention(6, seed) for seed in range(3)])
    for one, together in zip(batch, attention_affinity(batch), strict=True):
        assert torch.allclose(attention_affinity(one), together)


def test_boxes_enclose_what_exceeds_the_threshold_and_nothing_else():
    maps = torch.zeros(3, 9, 11)
    maps[0, 1, 2] = maps[0, 2, 3] = maps[0, 3, 4] = 0.9  # a diagonal is connected
    maps[0, 8, 10] = 0.41  # another component, in the last row and column
    maps[0, 5, 0] = 0.4  # not above it
    maps[1] = 0.39
    maps[2] = 1
    boxes = box_mask(maps, 0.4)
    expected = torch.zeros(9, 11, dtype=torch.bool)
    expected[1:4, 2:5] = True
    expected[8, 10] = True
    assert boxes.dtype == torch.bool
    assert torch.equal(boxes[0], expected)
    assert not boxes[1].any() and boxes[2].all()


def test_boxes_are_those_of_a_flood_fill():
    generator = torch.Generator().manual_seed(3)
    maps = torch.rand(2, 17, 23, generator=generator)
    for k, boxes in enumerate(box_mask(maps, 0.8)):
        assert torch.equal(boxes, flood_fill_boxes(maps[k] > 0.8))


def flood_fill_boxes(above):
    boxes, left = torch.zeros_like(above), {tuple(p) for p in above.nonzero().tolist()}
    while left:
        component, frontier = set(), [left.pop()]
        while frontier:
            y, x = frontier.pop()
            component.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            frontier.extend(near)
        rows, columns = zip(*component, strict=True)
        boxes[min(rows) : max(rows) + 1, min(columns) : max(columns) + 1] = True
    return boxes


@pytest.mark.parametrize('steps', [1, 2, 3])
def test_propagation_is_the_masked_power_of_the_affinity(steps):
    generator = torch.Generator().manual_seed(1)
    maps = torch.rand(2, 3, 4, generator=generator).double()
    sources = torch.rand(2, 3, 4, generator=generator) > 0.5
    matrix = attention(12)  # not symmetric, so that a transposed product would show
    spread = propagate(maps, matrix, sources, steps)
    power = np.linalg.matrix_power(matrix.numpy(), steps)
    for k in range(2):
        values, mask = maps[k].flatten(), sources[k].flatten()
        for i in range(12):
            expected = sum(power[i, j] * float(values[j]) for j in range(12) if mask[j])
            assert spread[k].flatten()[i] == pytest.approx(expected)


def test_patches_without_a_box_give_nothing_but_may_take():
    maps = torch.tensor([[[1.0, 0.5, 0.0]]])
    matrix = torch.full((3, 3), 1 / 3)
    spread = propagate(maps, matrix, box_mask(maps, 0.6))
    assert torch.allclose(spread, torch.full((1, 1, 3), 1 / 3))
    assert not propagate(maps, matrix, torch.zeros(1, 1, 3, dtype=torch.bool)).any()


def test_without_sources_everything_gives():
    maps = torch.rand(2, 2, 3, generator=torch.Generator().manual_seed(0)).double()
    everywhere = torch.ones(2, 2, 3, dtype=torch.bool)
    matrix = attention(6)
    assert torch.equal(propagate(maps, matrix), propagate(maps, matrix, everywhere))
    assert torch.allclose(propagate(maps, torch.eye(6).double()), maps)


def test_an_affinity_of_another_grid_is_refused():
    with pytest.raises(ValueError, match=r'12 patches, got \[10, 10\]'):
        propagate(torch.rand(1, 3, 4), torch.rand(10, 10))


def test_each_image_of_a_batch_is_propagated_by_its_own_affinity():
    maps = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(2)).double()
    matrices = torch.stack([attention(20, seed) for seed in range(2)])
    together = propagate(maps, matrices, steps=1)
    assert torch.allclose(together, torch.stack([*map(propagate_once, maps, matrices)]))


def propagate_once(maps, matrix):
    """Row i receives from j."""
    return torch.einsum('ij,kj->ki', matrix, maps.flatten(1)).view_as(maps)


def test_twelve_blocks_that_look_at_themselves_give_twelve_times_the_map():
    maps = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0)) - 0.5
    assert torch.allclose(propagate(maps, 12 * torch.eye(12), steps=1), 12 * maps)


def test_the_row_of_cls_or_the_mean_row_of_patches():
    matrix = torch.arange(25.0).view(5, 5)  # two extra tokens
    assert taken_from_patches(matrix, 3, by_cls=True).tolist() == [2, 3, 4]
    assert taken_from_patches(matrix, 3, by_cls=False).tolist() == [17, 18, 19]


@pytest.mark.parametrize('by_cls', [False, True])
def test_class_attention_adds_up_positive_gradients_of_blocks(by_cls):
    blocks = torch.randn(2, 3, 4, 2, 7, 7, generator=torch.Generator().manual_seed(0))
    found = class_attention([*blocks], 6, by_cls)
    assert found.shape == (4, 3, 6)
    for image, k, patch in [(0, 0, 0), (3, 2, 5), (1, 2, 3)]:
        rows = [0] if by_cls else range(1, 7)
        entries = [
            [max(0, float(blocks[block, k, image, head, row, 1 + patch])) for row in rows]
            for block in range(2)
            for head in range(2)
        ]
        assert float(found[image, k, patch]) == pytest.approx(2 * np.mean(entries), rel=1e-5)


@pytest.mark.parametrize('by_cls', [False, True])
def test_without_a_positive_gradient_there_is_no_attention(by_cls):
    gradients = [-torch.rand(3, 2, 2, 5, 5), torch.zeros(3, 2, 2, 5, 5)]
    assert not class_attention(gradients, 4, by_cls).any()


def test_rollout_is_the_product_of_blocks_that_keep_half_of_what_they_had():
    blocks = torch.stack([torch.stack([attention(5, 3 * b + i) for i in range(3)]) for b in (0, 1)])
    flow = attention_rollout(blocks)
    assert torch.allclose(flow.sum(-1), torch.ones(2, 5))
    for one, matrices in zip(flow, blocks.numpy(), strict=True):
        first, second, third = ((matrix + np.eye(5)) / 2 for matrix in matrices)
        assert np.allclose(one, third @ second @ first, atol=1e-6)
