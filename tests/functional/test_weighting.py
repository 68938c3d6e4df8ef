import pytest
import torch

from mmsmoke.functional import gradient_cam, gradient_cam_plus_plus, layer_cam


@pytest.fixture
def layer():
    """Activations and gradients of 2 images, 3 channels, 4 x 5 positions and 2 classes."""
    dice = torch.Generator().manual_seed(0)
    activation = torch.randn(2, 3, 4, 5, generator=dice).double()
    return activation, torch.randn(2, 2, 3, 4, 5, generator=dice).double()


def each(maps):
    return [(b, k, y, x) for b in range(2) for k in range(2) for y in (0, 3) for x in (1, 4)]


def test_grad_cam_weighs_by_the_mean_gradient(layer):
    activation, gradient = layer
    maps = gradient_cam(activation, gradient)
    for b, k, y, x in each(maps):
        weights = [gradient[k, b, c].mean() for c in range(3)]
        expected = sum(weights[c] * activation[b, c, y, x] for c in range(3))
        assert maps[b, k, y, x] == pytest.approx(float(expected))


def test_grad_cam_plus_plus_weighs_by_shares_of_positive_gradients(layer):
    activation, gradient = layer
    maps = gradient_cam_plus_plus(activation, gradient)
    for b, k, y, x in each(maps):
        expected = 0.0
        for c in range(3):
            total, weight = activation[b, c].sum(), 0.0
            for g in gradient[k, b, c].flatten():
                if g > 0:
                    weight += g * g**2 / (2 * g**2 + total * g**3 + 1e-6)
            expected += weight * activation[b, c, y, x]
        assert maps[b, k, y, x] == pytest.approx(float(expected))


def test_layer_cam_weighs_each_position_by_its_own_gradient(layer):
    activation, gradient = layer
    maps = layer_cam(activation, gradient)
    for b, k, y, x in each(maps):
        expected = sum(max(0, gradient[k, b, c, y, x]) * activation[b, c, y, x] for c in range(3))
        assert maps[b, k, y, x] == pytest.approx(float(expected))


@pytest.mark.parametrize('weigh', [gradient_cam_plus_plus, layer_cam])
def test_gradients_that_are_not_positive_say_nothing(weigh, layer):
    activation, gradient = layer
    assert not weigh(activation, -gradient.abs()).any()
    assert not weigh(activation, torch.zeros_like(gradient)).any()


@pytest.mark.parametrize('weigh', [gradient_cam, gradient_cam_plus_plus, layer_cam])
def test_maps_of_a_dead_channel_are_zero_and_finite(weigh):
    maps = weigh(torch.zeros(1, 2, 3, 3), torch.randn(2, 1, 2, 3, 3))
    assert maps.shape == (1, 2, 3, 3) and not maps.any()
