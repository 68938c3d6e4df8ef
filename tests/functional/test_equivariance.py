import pytest
import torch

from mmsmoke.functional import (
    correlated_maps,
    cross_equivariance_loss,
    equivariance_loss,
    min_pooling_loss,
    resize_maps,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def affinity_of(batch, places):
    affinity = torch.rand(batch, places, places)
    return affinity / affinity.sum(1, keepdim=True)


def scaled(one):
    """A map [h, w], min-max normalised with SEAM's margin."""
    one = one.double().clamp(min=0)
    low, high = one.min(), one.max()
    return ((one - low - 1e-5) / (high - low + 1e-5)).clamp(min=0)


# correlated_maps


def test_places_take_scores_of_the_strongest_class_from_their_like():
    maps, affinity = torch.randn(2, 3, 2, 2), affinity_of(2, 4)
    found = correlated_maps(maps, affinity)
    for image in range(2):
        scores = maps[image].clamp(min=0).flatten(1)
        scores = scores / scores.amax(1, keepdim=True).clamp(min=1e-8)
        for column in range(4):
            expected = torch.zeros(4)
            for row in range(4):
                best = scores[:, row].argmax()
                taken = affinity[image, row, column]
                expected[0] += taken * (1 - scores[best, row])
                expected[1 + best] += taken * scores[best, row]
            torch.testing.assert_close(found[image, :, column // 2, column % 2], expected)


def test_with_one_class_the_background_is_what_is_left_of_one():
    found = correlated_maps(torch.randn(2, 1, 3, 4), affinity_of(2, 12))
    torch.testing.assert_close(found.sum(1), torch.ones(2, 3, 4))
    assert found.min() >= 0


def test_the_strength_of_a_map_changes_nothing_and_the_map_gets_no_gradient():
    maps, affinity = torch.randn(1, 2, 3, 4, requires_grad=True), affinity_of(1, 12)
    affinity.requires_grad_()
    found = correlated_maps(maps, affinity)
    torch.testing.assert_close(found, correlated_maps(5 * maps, affinity))
    found.square().sum().backward()
    assert maps.grad is None and affinity.grad.any()


def test_an_empty_map_is_all_background():
    found = correlated_maps(-torch.ones(1, 2, 2, 2), affinity_of(1, 4))
    torch.testing.assert_close(found[:, 0], torch.ones(1, 2, 2))
    assert not found[:, 1:].any()


# equivariance_loss


def test_it_is_the_mean_difference_of_normalised_maps_over_all_classes():
    first, second = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    present = torch.tensor([[True, False, True], [False, False, False]])
    total = 0.0
    for image, k in present.nonzero().tolist():
        total += (scaled(first[image, k]) - scaled(second[image, k])).abs().sum().item()
    found = equivariance_loss(first, second, present)
    assert found.item() == pytest.approx(total / first.numel(), rel=1e-4)


def test_zeroed_classes_make_it_small():
    first, second = torch.randn(2, 1, 4, 5), torch.randn(2, 1, 4, 5)
    one = equivariance_loss(first, second, torch.ones(2, 1, dtype=torch.bool))
    absent = torch.randn(2, 19, 4, 5)
    present = torch.arange(20).expand(2, 20) == 0
    many = (torch.cat([maps, absent], 1) for maps in (first, second))
    torch.testing.assert_close(equivariance_loss(*many, present), one / 20)


@pytest.mark.parametrize('ratio', [0.3, 0.5, 0.7])
@pytest.mark.parametrize('classes', [1, 3])
def test_maps_that_follow_the_image_cost_nothing(ratio, classes):
    """A linear function of each pixel commutes with resizing."""
    images, weight = torch.randn(2, 3, 20, 30), torch.randn(classes, 3)
    small = resize_maps(images, [round(ratio * side) for side in images.shape[2:]])
    whole_map, small_map = (torch.einsum('kc,bchw->bkhw', weight, x) for x in (images, small))
    first = resize_maps(whole_map, small.shape[2:])
    present = torch.ones(2, classes, dtype=torch.bool)
    assert equivariance_loss(first, 3 * small_map, present) < 1e-4
    assert equivariance_loss(first, small_map.flip(-1), present) > 0.01


def test_both_views_learn():
    views = [torch.randn(1, 1, 3, 3, requires_grad=True) for _ in range(2)]
    equivariance_loss(*views, torch.tensor([[True]])).backward()
    assert all(view.grad.any() for view in views)


# cross_equivariance_loss


def naive_ecr(correlated, other, present, share=0.2):
    classes, height, width = other.shape[1:]
    count, means = int(share * (1 + classes) * height * width), []
    for image in range(len(other)):
        if not present[image].any():
            continue
        plain = [scaled(other[image, k]) * present[image, k] for k in range(classes)]
        found = [scaled(correlated[image, 0])]
        found += [scaled(correlated[image, 1 + k]) * present[image, k] for k in range(classes)]
        values = []
        for y in range(height):
            for x in range(width):
                scores = [one[y, x].item() for one in plain]
                best = max(scores)
                target = [1 - best, *(score if score == best else 0.0 for score in scores)]
                pairs = zip(target, found, strict=True)
                values += [abs(wanted - one[y, x].item()) for wanted, one in pairs]
        means.append(sum(sorted(values)[-count:]) / count)
    return sum(means) / len(means)


@pytest.mark.parametrize('classes', [1, 2, 4])
@pytest.mark.parametrize('grid', [(2, 2), (3, 5), (7, 4)])
def test_it_is_the_mean_of_the_largest_fifth_rounded_down(classes, grid):
    other, correlated = torch.randn(3, classes, *grid), torch.rand(3, 1 + classes, *grid)
    present = torch.rand(3, classes) > 0.4
    present[0], present[1] = True, False
    found = cross_equivariance_loss(correlated, other, present)
    assert found.item() == pytest.approx(naive_ecr(correlated, other, present), rel=1e-4)


def test_as_many_values_learn_as_are_counted():
    correlated = torch.rand(1, 3, 5, 7)
    correlated[..., 0, 0], correlated[..., -1, -1] = 0, 1  # that normalising knows these two alone
    correlated.requires_grad_()
    present = torch.tensor([[True, True]])
    cross_equivariance_loss(correlated, torch.randn(1, 2, 5, 7), present).backward()
    inner = correlated.grad.flatten(2)[..., 1:-1]
    assert 0 < inner.count_nonzero() <= int(0.2 * 3 * 5 * 7)


def test_it_teaches_the_correlated_map_alone():
    correlated, other = torch.rand(1, 2, 3, 3, requires_grad=True), torch.randn(1, 1, 3, 3)
    other.requires_grad_()
    cross_equivariance_loss(correlated, other, torch.tensor([[True]])).backward()
    assert correlated.grad.any() and other.grad is None


def test_images_without_a_class_are_left_out():
    correlated, other = torch.rand(2, 2, 4, 4), torch.randn(2, 1, 4, 4)
    both = cross_equivariance_loss(correlated, other, torch.tensor([[True], [False]]))
    torch.testing.assert_close(
        both, cross_equivariance_loss(correlated[:1], other[:1], torch.tensor([[True]]))
    )


# min_pooling_loss


@pytest.mark.parametrize('grid', [(1, 2), (2, 2), (3, 5), (8, 8)])
@pytest.mark.parametrize('classes', [1, 3])
def test_it_is_the_mean_of_the_lowest_quarter(classes, grid):
    maps, present = torch.randn(2, classes, *grid), torch.rand(2, classes) > 0.3
    total, count = 0.0, max(grid[0] * grid[1] // 4, 1)
    for image in range(2):
        best = []
        for y in range(grid[0]):
            for x in range(grid[1]):
                values = maps[image, :, y, x] * present[image]
                best.append(max(values.tolist()))
        total += sum(max(value, 0) for value in sorted(best)[:count])
    found = min_pooling_loss(maps, present).item()
    assert found == pytest.approx(total / (2 * count), rel=1e-5, abs=1e-8)


# all of them


def losses(maps, correlated, present):
    return [
        equivariance_loss(maps, maps.flip(-1), present),
        cross_equivariance_loss(correlated, maps, present),
        min_pooling_loss(correlated[:, 1:], present),
    ]


@pytest.mark.parametrize('batch', [0, 2])
def test_no_class_no_loss_but_gradients_of_zero(batch):
    maps = torch.randn(batch, 2, 3, 3, requires_grad=True)
    correlated = torch.rand(batch, 3, 3, 3, requires_grad=True)
    found = losses(maps, correlated, torch.zeros(batch, 2, dtype=torch.bool))
    assert all(loss.item() == 0 for loss in found)
    sum(found).backward()
    assert not maps.grad.any() and not correlated.grad.any()


@pytest.mark.parametrize('value', [-1.0, 0.0, 1.0])
def test_maps_without_contrast_are_no_nan(value):
    maps = torch.full((2, 2, 3, 3), value, requires_grad=True)
    correlated = torch.full((2, 3, 3, 3), value, requires_grad=True)
    found = losses(maps, correlated, torch.ones(2, 2, dtype=torch.bool))
    assert all(loss.isfinite() for loss in found)
    sum(found).backward()
    assert maps.grad.isfinite().all() and correlated.grad.isfinite().all()


def test_they_are_computed_in_float32_even_under_autocast():
    maps, correlated = torch.randn(2, 2, 4, 4), torch.rand(2, 3, 4, 4)
    present, affinity = torch.ones(2, 2, dtype=torch.bool), affinity_of(2, 16)
    expected = [*losses(maps, correlated, present), correlated_maps(maps, affinity)]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = [*losses(maps, correlated, present), correlated_maps(maps, affinity)]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert correlated_maps(maps.bfloat16(), affinity).dtype == torch.float32
