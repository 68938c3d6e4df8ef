import math

import pytest
import torch

from mmsmoke.functional import false_positive_losses, region_means, regions_of
from mmsmoke.functional.false_positives import nearest_centre

SMOKE, CHIMNEY = torch.tensor([4.0, 0.0]), torch.tensor([0.0, 4.0])
PRESENT = torch.tensor([[True]])
COUNTS = torch.tensor([[1, 1]])


def scene():
    """Return features of a smoking chimney, and a map that shows both; columns 0 and 1 of 4."""
    feats = torch.zeros(1, 2, 2, 4)
    feats[0, :, :, 0], feats[0, :, :, 1] = SMOKE[:, None], CHIMNEY[:, None]
    maps = torch.full((1, 1, 2, 4), -1.0)
    maps[..., :2] = 2.0
    return feats, maps


def losses(feats, maps, present=PRESENT, counts=COUNTS, **settings):
    centres = SMOKE.view(1, 1, 2), CHIMNEY.view(1, 1, 2)
    return false_positive_losses(feats, maps, present, *centres, counts, **settings)


def test_both_losses_fall_when_a_false_region_is_removed_from_the_map():
    feats, maps = scene()
    before = losses(feats, maps)
    maps[..., 1] = -1.0
    region, pixel = losses(feats, maps)
    assert region < before[0] and pixel == 0 < before[1]


def test_a_true_region_that_is_removed_makes_the_region_worse():
    feats, maps = scene()
    before = losses(feats, maps)
    maps[..., 0] = -1.0
    region, pixel = losses(feats, maps)
    assert region > before[0] and pixel > 0


def test_a_region_costs_what_the_formula_says():
    feats, maps = scene()
    region, pixel = losses(feats, maps)
    distance = math.sqrt((2**2 + 2**2) / 2)  # of the mean of both to either centre
    p = math.exp(-(distance / 13 + 0.1))
    assert region.item() == pytest.approx(-math.log(p) - math.log(1 - p), rel=1e-5)
    assert pixel.item() == pytest.approx(2)  # the mean evidence on the chimney


def test_gradients_lower_false_evidence_and_no_other():
    feats, maps = scene()
    maps.requires_grad_()
    losses(feats, maps)[1].backward()
    assert (maps.grad[..., 1] > 0).all() and not maps.grad[..., [0, 2, 3]].any()


def test_features_of_a_region_are_drawn_to_the_positive_centres():
    feats, maps = scene()
    feats.requires_grad_()
    before = losses(feats, maps)[0]
    before.backward()
    assert losses(feats - 0.1 * feats.grad, maps)[0] < before
    assert not feats.grad[..., 2:].any()  # outside of the region


@pytest.mark.parametrize('counts', [[[0, 0]], [[1, 0]], [[0, 1]]])
def test_without_centres_of_both_kinds_there_is_no_loss(counts):
    assert losses(*scene(), counts=torch.tensor(counts)) == (0, 0)


@pytest.mark.parametrize('change', [dict(present=~PRESENT), dict(maps=-torch.ones(1, 1, 2, 4))])
def test_without_a_region_there_is_no_loss_but_a_gradient_of_zero(change):
    feats, maps = scene()
    feats.requires_grad_()
    found = losses(**{**dict(feats=feats, maps=maps), **change})
    assert found == (0, 0)
    found[0].backward()
    assert not feats.grad.any()


def test_classes_are_apart():
    feats, maps = scene()
    maps = maps.repeat(1, 3, 1, 1)
    centres = torch.stack([SMOKE, CHIMNEY, CHIMNEY])[:, None], CHIMNEY.expand(3, 1, 2)
    one = losses(feats, maps[:, :1])
    counts = torch.tensor([[1, 1], [1, 1], [0, 1]])
    present = torch.tensor([[True, False, True]])  # the second is absent, the third unknown
    assert false_positive_losses(feats, maps, present, *centres, counts) == one


def test_only_centres_that_are_there_are_near():
    points, centres = torch.tensor([[0.0], [5.0]]), torch.tensor([[[9.0], [0.0]], [[4.0], [5.0]]])
    near = nearest_centre(points, centres, torch.tensor([1, 2]))
    assert near.tolist() == [[9, 4], [4, 0]]
    assert nearest_centre(points, centres, torch.tensor([0, 2]))[:, 0].isinf().all()


def test_means_are_of_the_region_alone():
    feats, maps = scene()
    regions = regions_of(maps)
    assert regions[0, 0].sum() == 4
    assert region_means(feats, regions)[0, 0].tolist() == [2, 2]
    assert region_means(feats, ~regions & regions)[0, 0].tolist() == [0, 0]


def test_a_weak_map_has_a_region_as_well():
    maps = scene()[1]
    assert torch.equal(regions_of(maps * 1e-4), regions_of(maps))
