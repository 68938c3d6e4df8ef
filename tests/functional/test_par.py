import pytest
import torch

from mmsmoke.functional import pixel_adaptive, pixel_weights

DILATIONS = (1, 3)


def case(size=(7, 9), classes=2, seed=0):
    dice = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (2, 3, *size), generator=dice).double()
    return images, torch.rand(2, classes, *size, generator=dice)


def neighbours(row, column, size):
    for dilation in DILATIONS:
        for y in (-1, 0, 1):
            for x in (-1, 0, 1):
                if y or x:
                    place = row + y * dilation, column + x * dilation
                    inside = (min(max(p, 0), s - 1) for p, s in zip(place, size, strict=True))
                    yield (*inside, dilation * (y * y + x * x) ** 0.5)


def naive_weights(image):
    """Return [H, W, N] of an image [3, H, W], pixel by pixel."""
    size, found = image.shape[1:], []
    for row, column in torch.cartesian_prod(*map(torch.arange, size)).tolist():
        places = list(neighbours(row, column, size))
        colours = torch.stack([image[:, y, x] for y, x, _ in places])
        apart = (colours - image[:, row, column]) / (0.3 * colours.std(0))
        far = torch.tensor([distance for *_, distance in places], dtype=torch.double)
        alike = (-(apart**2).mean(1)).softmax(0)
        found.append(alike + 0.01 * (-((far / (0.3 * far.std())) ** 2)).softmax(0))
    return torch.stack(found).view(*size, -1)


def naive_rounds(weights, scores, rounds):
    """Return scores [K, H, W] without any normalisation."""
    size = scores.shape[1:]
    for _ in range(rounds):
        new = torch.zeros_like(scores)
        for row, column in torch.cartesian_prod(*map(torch.arange, size)).tolist():
            for number, (y, x, _) in enumerate(neighbours(row, column, size)):
                new[:, row, column] += weights[row, column, number] * scores[:, y, x]
        scores = new
    return scores


def test_weights_are_those_of_a_loop_over_pixels():
    images, _ = case()
    found = pixel_weights(images, DILATIONS)
    for one, image in zip(found, images, strict=True):
        expected = naive_weights(image).permute(2, 0, 1).float()
        torch.testing.assert_close(one, expected, atol=1e-5, rtol=1e-4)


def test_a_loop_keeps_the_sum_over_classes_up_to_a_factor_which_is_divided_out():
    images, scores = case()
    scores = scores / scores.sum(1, keepdim=True)
    found = pixel_adaptive(images, scores, 3, DILATIONS)
    for one, image, start in zip(found, images, scores.double(), strict=True):
        expected = naive_rounds(naive_weights(image), start, 3)
        torch.testing.assert_close(expected.sum(0), torch.full((7, 9), 1.01**3).double())
        torch.testing.assert_close(one.double(), expected / 1.01**3, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.sum(1), torch.ones(2, 7, 9))


@pytest.mark.parametrize('size', [(1, 1), (5, 40)])
def test_weights_add_up_to_one_and_that_of_places(size):
    images, _ = case(size)
    assert pixel_weights(images).shape == (2, 48, *size)
    torch.testing.assert_close(pixel_weights(images).sum(1), torch.full((2, *size), 1.01))


def test_constant_scores_stay_and_the_range_is_kept():
    images, scores = case((20, 30))
    constant = torch.tensor([0.3, 1.0]).view(1, 2, 1, 1).expand(2, 2, 20, 30)
    torch.testing.assert_close(pixel_adaptive(images, constant), constant)
    found = pixel_adaptive(images, scores)
    assert found.min() >= scores.min() and found.max() <= scores.max()


def test_an_image_of_one_colour_averages_like_any_blur():
    scores = torch.zeros(1, 1, 31, 31)
    scores[..., 15, 15] = 1
    found = pixel_adaptive(torch.full((1, 3, 31, 31), 77), scores, 1, (2,))[0, 0]
    around = found[13:18:2, 13:18:2]
    assert (around > 0.11).sum() == 8 and around[1, 1] == 0
    torch.testing.assert_close(found, found.T)


def test_scores_spread_within_a_colour_and_stop_at_its_edge():
    images = torch.zeros(1, 3, 24, 24)
    images[..., 12:] = 200
    scores = torch.zeros(1, 1, 24, 24)
    scores[..., :6] = 1  # half of what is dark
    found = pixel_adaptive(images, scores)[0, 0]
    assert found[:, 6:12].mean() > 0.3 and found[:, 12:].mean() < 0.05


def test_classes_and_images_are_refined_by_themselves():
    images, scores = case((12, 10), classes=3)
    together = pixel_adaptive(images, scores)
    alone = pixel_adaptive(images[1:], scores[1:, 2:])
    torch.testing.assert_close(together[1:, 2:], alone)
