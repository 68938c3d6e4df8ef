import math

import pytest
import torch

from mmsmoke.functional import (
    affinity_labels,
    affinity_losses,
    agreed_labels,
    boundary_affinity,
    confident_labels,
    feature_affinity,
    pair_offsets,
    random_walk,
)
from mmsmoke.functional.affinity import straight_path

GRIDS = [(1, 1), (1, 7), (6, 1), (3, 2), (9, 7)]


def random_affinity(grid, radius, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, len(pair_offsets(radius)), *grid, generator=generator)


def dense_transition(affinity, radius, beta):
    """T [N, N] of one image, entry by entry; columns sum to one."""
    _, height, width = affinity.shape
    matrix = torch.eye(height * width, dtype=torch.float64)
    for p, (dy, dx) in enumerate(pair_offsets(radius)):
        for y in range(height):
            for x in range(width):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    i, j = y * width + x, (y + dy) * width + x + dx
                    matrix[i, j] = matrix[j, i] = affinity[p, y, x].double() ** beta
    return matrix / matrix.sum(0, keepdim=True)


def pairs_by_hand(labels, radius):
    """The three kinds of pairs of one label map, found in a double loop over all pixels."""
    height, width = labels.shape
    kinds = torch.zeros(3, len(pair_offsets(radius)), height, width, dtype=torch.bool)
    number = {offset: p for p, offset in enumerate(pair_offsets(radius))}
    pixels = [(y, x) for y in range(height) for x in range(width)]
    for index, (y, x) in enumerate(pixels):
        for v, u in pixels[index + 1 :]:
            first, second = int(labels[y, x]), int(labels[v, u])
            if (v - y) ** 2 + (u - x) ** 2 >= radius**2 or 255 in (first, second):
                continue
            kind = 2 if first != second else int(first > 0)
            kinds[kind, number[v - y, u - x], y, x] = True
    return kinds


def test_the_published_radius_has_34_forward_offsets():
    offsets = pair_offsets(5)
    assert len(offsets) == len(set(offsets)) == 34
    assert all(dy > 0 or (dy == 0 and dx > 0) for dy, dx in offsets)
    backward = {(-dy, -dx) for dy, dx in offsets}
    disc = {(dy, dx) for dy in range(-9, 10) for dx in range(-9, 10) if dy**2 + dx**2 < 25}
    assert backward.isdisjoint(offsets) and backward | set(offsets) | {(0, 0)} == disc


def test_other_radii():
    assert pair_offsets(1.1) == [(0, 1), (1, 0)]
    assert pair_offsets(1.5) == [(0, 1), (1, -1), (1, 0), (1, 1)]
    assert len(pair_offsets(10)) == 152
    with pytest.raises(ValueError, match='radius must exceed 1'):
        pair_offsets(1)


@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize('radius', [2, 3.5, 5])
def test_labels_of_pairs_are_those_of_a_double_loop(grid, radius):
    torch.manual_seed(0)
    values = torch.tensor([0, 0, 1, 1, 2, 255])
    labels = values[torch.randint(len(values), (2, *grid))].to(torch.uint8)
    pairs = torch.stack(affinity_labels(labels, pair_offsets(radius)))
    for image, found in zip(labels, pairs.unbind(1), strict=True):
        assert (found == pairs_by_hand(image, radius)).all()


def test_an_unknown_pixel_makes_no_pair():
    labels = torch.zeros(1, 5, 5, dtype=torch.long)
    labels[0, 2, 2] = 255
    known = sum(affinity_labels(labels, pair_offsets(2)))
    everything = sum(affinity_labels(torch.zeros_like(labels), pair_offsets(2)))
    assert everything.sum() - known.sum() == 8  # its neighbours
    assert not sum(affinity_labels(torch.full_like(labels, 255), pair_offsets(5))).any()


def test_affinity_of_features_is_that_of_pairs_of_vectors():
    torch.manual_seed(0)
    features, offsets = torch.randn(2, 3, 4, 5), pair_offsets(3)
    affinity = feature_affinity(features, offsets)
    for p, (dy, dx) in enumerate(offsets):
        for y in range(4 - dy):
            for x in range(max(0, -dx), 5 - max(0, dx)):
                away = (features[:, :, y, x] - features[:, :, y + dy, x + dx]).abs().mean(1)
                torch.testing.assert_close(affinity[:, p, y, x], torch.exp(-away))


def test_boundary_affinity_looks_at_the_whole_path():
    torch.manual_seed(0)
    boundary, offsets = torch.rand(2, 6, 7), pair_offsets(5)
    affinity = boundary_affinity(boundary, offsets)
    for p, offset in enumerate(offsets):
        path = straight_path(offset)
        assert (0, 0) in path and offset in path
        for y in range(6 - offset[0]):
            for x in range(max(0, -offset[1]), 7 - max(0, offset[1])):
                highest = torch.stack([boundary[:, y + dy, x + dx] for dy, dx in path]).amax(0)
                torch.testing.assert_close(affinity[:, p, y, x], 1 - highest)


def test_paths_are_straight_and_wide_enough_to_meet_a_diagonal_line():
    assert straight_path((0, 3)) == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert straight_path((2, 0)) == [(0, 0), (1, 0), (2, 0)]
    assert set(straight_path((1, 1))) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert set(straight_path((2, -2))) >= {(0, 0), (0, -1), (1, 0), (1, -1), (2, -2)}


def test_the_loss_is_the_published_sum_of_three_means():
    torch.manual_seed(0)
    labels = torch.tensor([0, 0, 1, 2, 255])[torch.randint(5, (2, 6, 6))]
    offsets = pair_offsets(3)
    pairs, affinity = affinity_labels(labels, offsets), torch.rand(2, len(offsets), 6, 6)
    losses = affinity_losses(affinity, pairs)
    assert losses['background'].item() == pytest.approx(
        -0.25 * affinity[pairs.background].log().mean().item(), abs=1e-3
    )
    assert losses['foreground'].item() == pytest.approx(
        -0.25 * affinity[pairs.foreground].log().mean().item(), abs=1e-3
    )
    assert losses['different'].item() == pytest.approx(
        -0.5 * (1 - affinity[pairs.different]).log().mean().item(), abs=1e-3
    )


def test_an_affinity_of_one_costs_nothing_within_a_class_and_much_across():
    offsets = pair_offsets(5)
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, :, 4:] = 1
    ones = torch.ones(1, len(offsets), 8, 8, requires_grad=True)
    losses = affinity_losses(ones, affinity_labels(labels, offsets))
    within = [losses['background'].item(), losses['foreground'].item()]
    assert within == pytest.approx([0, 0], abs=1e-7)
    assert losses['different'].item() == pytest.approx(-0.5 * math.log(1e-5), rel=1e-3)
    losses['different'].backward()
    assert ones.grad.isfinite().all() and ones.grad.any()


def test_without_pairs_there_is_no_loss_but_a_gradient():
    offsets = pair_offsets(5)
    affinity = torch.rand(1, len(offsets), 4, 4, requires_grad=True)
    labels = torch.full((1, 4, 4), 255)
    loss = sum(affinity_losses(affinity, affinity_labels(labels, offsets)).values())
    loss.backward()
    assert loss == 0 and not affinity.grad.any()


@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize(('radius', 'beta', 'log_t'), [(5, 8, 3), (2, 1, 0), (3.5, 2, 8)])
def test_the_walk_is_the_power_of_the_dense_matrix(grid, radius, beta, log_t):
    affinity, scores = random_affinity(grid, radius), torch.rand(2, 3, *grid)
    walked = random_walk(scores, affinity, radius, beta, log_t)
    assert walked.shape == scores.shape and walked.is_contiguous()
    for image, pairs, result in zip(scores, affinity, walked, strict=True):
        power = torch.linalg.matrix_power(dense_transition(pairs, radius, beta), 2**log_t)
        expected = (image.double().flatten(1) @ power).view(image.shape)
        torch.testing.assert_close(result.double(), expected, atol=1e-4, rtol=0)


def test_the_transition_s_columns_sum_to_one_so_values_stay_within_those_of_the_input():
    affinity, scores = random_affinity((12, 9), 5), torch.rand(2, 2, 12, 9)
    walked = random_walk(scores, affinity, beta=1, log_t=2)
    low, high = scores.amin((2, 3), keepdim=True), scores.amax((2, 3), keepdim=True)
    assert (walked >= low - 1e-6).all() and (walked <= high + 1e-6).all()
    assert walked.std() < scores.std()
    constant = torch.full_like(scores, 0.37)
    torch.testing.assert_close(random_walk(constant, affinity), constant)


def test_without_affinity_the_map_stays():
    scores = torch.rand(2, 3, 7, 8)
    none = torch.zeros(2, 34, 7, 8)
    assert (random_walk(scores, none) == scores).all()


def test_what_stands_where_there_is_no_pair_means_nothing():
    affinity, scores, offsets = random_affinity((4, 5), 3), torch.rand(2, 1, 4, 5), pair_offsets(3)
    changed = affinity.clone()
    for p, (dy, dx) in enumerate(offsets):
        for y in range(4):
            for x in range(5):
                if not (y + dy < 4 and 0 <= x + dx < 5):
                    changed[:, p, y, x] = 1 - changed[:, p, y, x]
    assert (changed != affinity).any()
    assert (random_walk(scores, changed, 3) == random_walk(scores, affinity, 3)).all()


@pytest.mark.parametrize('diamond', [False, True])
def test_nothing_crosses_a_closed_boundary(diamond):
    rows, columns = torch.meshgrid(torch.arange(-8, 9), torch.arange(-8, 9), indexing='ij')
    away = (
        rows.abs() + columns.abs() if diamond else torch.maximum(rows.abs(), columns.abs())
    )  # the diamond's edge is a line of diagonal neighbours
    ring, inside = away == 5, away < 5
    scores = inside.float()[None, None]
    closed = boundary_affinity(ring.float()[None], pair_offsets(5))
    torch.testing.assert_close(random_walk(scores, closed), scores)
    broken = ring & (columns != 0)
    leaking = random_walk(scores, boundary_affinity(broken.float()[None], pair_offsets(5)))
    assert leaking[0, 0][away > 5].max() > 0.01


def test_affinities_of_another_grid_are_refused():
    with pytest.raises(ValueError, match=r'need affinities \[1, 34, 4, 4\], got \[1, 34, 4, 5\]'):
        random_walk(torch.rand(1, 2, 4, 4), torch.rand(1, 34, 4, 5))
    with pytest.raises(ValueError, match='radius 3 need affinities'):
        random_walk(torch.rand(1, 2, 4, 4), torch.rand(1, 34, 4, 4), radius=3)


def probabilities(*labels, num_labels=3):
    return torch.nn.functional.one_hot(torch.tensor([labels]), num_labels).movedim(-1, 0).float()


def test_two_opinions_make_confident_labels():
    # foreground by the strict opinion, background by both, foreground by the loose one only, of
    # different classes, and background by the loose one against the strict one
    low = probabilities(1, 0, 0, 2, 1)
    high = probabilities(1, 0, 1, 1, 0)
    labels = confident_labels(low, high)
    assert labels.dtype == torch.uint8
    assert labels.tolist() == [[1, 0, 255, 2, 0]]


def test_pixels_without_any_score_are_unknown():
    low = probabilities(1, 0, 0) * torch.tensor([1.0, 9e-6, 1.0])
    high = probabilities(1, 0, 0) * torch.tensor([1.0, 9e-6, 9e-6])
    assert confident_labels(low, high).tolist() == [[1, 255, 0]]


def test_two_label_maps_agree_on_background():
    strict, loose = torch.tensor([[0, 0, 1, 2, 1]]), torch.tensor([[0, 1, 1, 1, 0]])
    assert agreed_labels(strict, loose).tolist() == [[0, 255, 1, 2, 1]]
