import numpy as np
import pytest
import torch

from mmsmoke.functional.kmeans import kmeans, lloyd, spread_start

CORNERS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def clouds(each=20):
    return (CORNERS[:, None] + torch.randn(4, each, 2, generator=dice()) / 3).flatten(0, 1)


def naive(points, centres, steps):
    """Lloyd's algorithm, one point and one centre at a time."""
    for _ in range(steps):
        nearest = [min(range(len(centres)), key=lambda k: ((p - centres[k]) ** 2).sum())
                   for p in points]  # fmt: skip
        centres = np.stack(
            [np.mean([p for p, k in zip(points, nearest, strict=True) if k == j], axis=0)
             for j in range(len(centres))]
        )  # fmt: skip
    return centres


@pytest.mark.parametrize('steps', [1, 3, 10])
def test_steps_are_those_of_a_naive_lloyd(steps):
    points = torch.randn(60, 3, generator=dice())
    found = lloyd(points, points[:5], steps)
    expected = naive(points.double().numpy(), points[:5].double().numpy(), steps)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_it_agrees_with_scikit_learn_where_that_is_installed():
    cluster = pytest.importorskip('sklearn.cluster')
    points = torch.randn(60, 3, generator=dice())
    reference = cluster.KMeans(5, init=points[:5].numpy(), n_init=1, max_iter=300, tol=0)
    expected = reference.fit(points.numpy()).cluster_centers_
    np.testing.assert_allclose(lloyd(points, points[:5], 300).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize('seed', range(5))
def test_clouds_that_lie_apart_are_found(seed):
    centres = kmeans(clouds(), 4, dice(seed))
    distance, nearest = torch.cdist(CORNERS, centres).min(1)
    assert sorted(nearest.tolist()) == [0, 1, 2, 3] and distance.max() < 0.5


def test_a_seed_makes_the_centres():
    points = torch.randn(50, 2, generator=dice(1))
    assert torch.equal(kmeans(points, 6, dice(3)), kmeans(points, 6, dice(3)))
    assert not torch.equal(kmeans(points, 6, dice(3)), kmeans(points, 6, dice(4)))


@pytest.mark.parametrize('points, expected', [(0, 0), (1, 1), (3, 3), (8, 5)])
def test_there_are_no_more_centres_than_points(points, expected):
    assert kmeans(torch.randn(points, 2, generator=dice()), 5).shape == (expected, 2)


def test_equal_points_are_one_centre():
    points = torch.tensor([[1.0, 2.0]] * 7 + [[3.0, 4.0]] * 2)
    assert sorted(kmeans(points, 5).tolist()) == [[1, 2], [3, 4]]


def test_a_centre_that_nothing_is_near_to_moves_to_the_point_farthest_from_its_own():
    points = torch.tensor([[0.0], [1.0], [9.0]])
    assert sorted(lloyd(points, torch.tensor([[0.5], [100.0]]), 3).tolist()) == [[0.5], [9.0]]


def test_a_start_is_spread_out():
    start = spread_start(clouds(), 4, dice())
    assert len({int(one) for one in torch.cdist(start, CORNERS).argmin(1)}) == 4
