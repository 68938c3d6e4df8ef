import math

import pytest
import torch

from mmsmoke.functional import choose_spread, label_entropy, mask_disagreement, pixel_entropy

DICE = torch.Generator().manual_seed(0)


def rand(*shape):
    return torch.rand(shape, generator=DICE)


@pytest.mark.parametrize('classes', [1, 2, 3])
def test_entropy_of_pixels_is_that_of_a_loop(classes):
    scores = rand(classes + 1, 4, 5).softmax(0)[1:]
    total = 0.0
    for pixel in scores.flatten(1).T.tolist():
        shares = [*pixel, 1 - sum(pixel)]
        total -= sum(p * math.log(p) for p in shares if p > 0) / math.log(len(shares))
    assert float(pixel_entropy(scores)) == pytest.approx(total / 20, rel=1e-5)


def test_entropy_is_0_of_the_sure_and_1_of_the_unsure():
    assert pixel_entropy(torch.zeros(2, 3, 3)) == 0
    assert pixel_entropy(torch.tensor([1.0, 0.0])[:, None, None].expand(2, 3, 3)) == 0
    assert pixel_entropy(torch.full((3, 2, 2), 0.25)) == pytest.approx(1)
    assert label_entropy(torch.tensor([0.0, 1.0])) == 0
    assert label_entropy(torch.tensor([0.5])) == pytest.approx(1)
    assert label_entropy(torch.tensor([0.5, 1.0])) == pytest.approx(0.5)


def test_the_label_entropy_is_largest_at_a_half():
    found = label_entropy(torch.linspace(0, 1, 11)[:, None])
    assert found.argmax() == 5 and torch.allclose(found, found.flip(0))


def test_masks_disagree_by_what_they_share():
    one, other = torch.zeros(2, 100, 100, dtype=torch.uint8)
    assert mask_disagreement(one, other) == 0
    one[:50], other[25:75] = 1, 1
    assert mask_disagreement(one, other) == pytest.approx(2 / 3, abs=0.002)
    assert mask_disagreement(one, one) == 0
    assert mask_disagreement(one, 2 * one) > 0.99
    assert mask_disagreement(one, other) == mask_disagreement(other, one)


def test_a_speck_is_no_dispute_and_a_plume_is():
    nothing = torch.zeros(100, 100, dtype=torch.uint8)
    speck, plume = nothing.clone(), nothing.clone()
    speck[0, 0], plume[:20, :20] = 1, 1
    assert mask_disagreement(nothing, speck) < 0.1
    assert mask_disagreement(nothing, plume) > 0.9


def naive(points, worth, count):
    points, worth = points.double().tolist(), worth.double().tolist()
    chosen = [worth.index(max(worth))]
    while len(chosen) < count:
        gains = [
            -1 if i in chosen else worth[i] * min(math.dist(points[i], points[k]) for k in chosen)
            for i in range(len(points))
        ]
        chosen.append(gains.index(max(gains)))
    return chosen


@pytest.mark.parametrize('seed', range(5))
def test_a_spread_choice_is_that_of_a_loop(seed):
    dice = torch.Generator().manual_seed(seed)
    points, worth = torch.randn(30, 4, generator=dice), torch.rand(30, generator=dice)
    assert choose_spread(points, worth, 8) == naive(points, worth, 8)


def test_a_spread_choice_sees_more_than_the_best():
    """Frames of one video are worth most, and alike."""
    corners = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    points = (corners[:, None] + torch.randn(4, 10, 2, generator=DICE) / 5).flatten(0, 1)
    worth = 0.5 + rand(40) / 5
    worth[:10] += 0.3
    best, chosen = worth.topk(4).indices.tolist(), choose_spread(points, worth, 4)
    assert {i // 10 for i in best} == {0} and {i // 10 for i in chosen} == {0, 1, 2, 3}

    def farthest(some):
        return torch.cdist(points, points[some]).min(1).values.max()

    assert farthest(chosen) < farthest(best) / 5
    assert torch.pdist(points[chosen]).mean() > 5 * torch.pdist(points[best]).mean()
    assert chosen[0] == best[0]


def test_worth_counts_beside_distance():
    points = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    assert choose_spread(points, torch.tensor([1.0, 0.5, 0.9, 0.0]), 3) == [0, 2, 1]


def test_equal_points_are_taken_by_worth_and_all_of_too_few():
    same = torch.zeros(4, 2)
    assert choose_spread(same, torch.tensor([0.1, 0.3, 0.2, 0.3]), 3) == [1, 3, 2]
    assert choose_spread(same, torch.zeros(4), 9) == [0, 1, 2, 3]
    assert choose_spread(same[:0], torch.zeros(0), 3) == []
