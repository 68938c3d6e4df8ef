import numpy as np
import pytest
import torch

from mmsmoke.functional.crf import (
    CRF_PRESETS,
    CRFSettings,
    _spatial_kernel,
    dense_crf,
    label_probs,
)
from mmsmoke.functional.permutohedral import PermutohedralLattice

BACKENDS = ['torch', pytest.param('pydensecrf', marks=pytest.mark.filterwarnings('ignore'))]


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == 'pydensecrf':
        pytest.importorskip('pydensecrf')
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def noisy_probs(rng, labels, height, width):
    probs = rng.random((labels, height, width)).astype(np.float32) ** 3 + 0.01
    return probs / probs.sum(0)


def picture(rng, height=40, width=56):
    blocks = rng.integers(0, 256, (height // 8, width // 8, 3))
    return blocks.repeat(8, 0).repeat(8, 1).astype(np.uint8)


@pytest.mark.parametrize('dim', [1, 2, 5])
def test_the_lattice_approximates_a_gaussian(dim):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 300, dim, generator=generator) * 4
    values = torch.rand(2, 300, 3, generator=generator)
    exact = torch.exp(-torch.cdist(points, points).square() / 2) @ values
    found = PermutohedralLattice(points).filter(values)
    # blurred shares, as CRFs use them
    exact, found = (x / x.sum(-1, keepdim=True) for x in (exact, found))
    assert (found - exact).abs().mean() < 0.02


def filter_one_by_one(points, values):
    """Filter as PermutohedralLattice does, with loops and a dict of corners; [N, d], [N, C]."""
    dim = points.shape[1]
    places = []  # of each point, corners and weights
    for point in points:
        scaled = [
            x * (dim + 1) * np.sqrt(2 / 3 / (axis + 1) / (axis + 2)) for axis, x in enumerate(point)
        ]
        elevated = np.array(
            [sum(scaled[i:]) - (i * scaled[i - 1] if i else 0) for i in range(dim + 1)]
        )
        # of all simplices around it, the one with no negative weight
        base = np.round(elevated / (dim + 1)).astype(int)
        while base.sum() != 0:
            step = -int(np.sign(base.sum()))
            base[np.argmax(step * (elevated - (dim + 1) * base))] += step
        left = elevated - (dim + 1) * base
        order = np.argsort(-left, kind='stable')
        corners, weights = [], []
        for k in range(dim + 1):
            corner = (dim + 1) * base + k
            corner[order[dim + 1 - k :]] -= dim + 1
            corners.append(tuple(corner))
            high, low = left[order[dim - k]], left[order[(dim + 1 - k) % (dim + 1)]]
            weights.append((high - low) / (dim + 1) + (k == 0))
        assert np.isclose(sum(weights), 1) and min(weights) > -1e-6
        places.append((corners, weights))
    held = {corner: 0.0 for corners, _ in places for corner in corners}
    for (corners, weights), value in zip(places, values, strict=True):
        for corner, weight in zip(corners, weights, strict=True):
            held[corner] = held[corner] + weight * value
    for axis in range(dim + 1):
        move = np.ones(dim + 1, int)
        move[axis] -= dim + 1
        near = {c: (tuple(np.add(c, move)), tuple(np.subtract(c, move))) for c in held}
        held = {c: held[c] + sum(held.get(other, 0) for other in near[c]) / 2 for c in held}
    found = [
        sum(w * held[c] for c, w in zip(corners, weights, strict=True))
        for corners, weights in places
    ]
    return np.array(found) / (1 + 2.0**-dim)


@pytest.mark.parametrize('spread', [1, 3, 100])  # in 5 dimensions codes of the last need 64 bits
@pytest.mark.parametrize('dim', [1, 2, 3, 5])
def test_the_lattice_equals_a_loop_over_points(rng, dim, spread):
    points = rng.normal(0, spread, (2, 60, dim)).astype(np.float32)
    points[:, 30:] = points[:, :30] + rng.normal(0, 1, (2, 30, dim))  # not all of them alone
    values = rng.random((2, 60, 3))
    found = PermutohedralLattice(torch.tensor(points)).filter(torch.tensor(values)).numpy()
    for k in range(2):
        expected = filter_one_by_one(points[k].astype(float), values[k])
        assert np.allclose(found[k], expected, atol=1e-6 * max(10, spread))


def test_a_normalised_lattice_is_scaled_from_both_sides(rng):
    points, values = torch.tensor(rng.random((2, 80, 3))) * 4, torch.tensor(rng.random((2, 80, 2)))
    plain, scaled = PermutohedralLattice(points), PermutohedralLattice(points).normalise()
    norm = plain.filter(torch.ones(2, 80, 1)).rsqrt()
    assert torch.allclose(scaled.filter(values), norm * plain.filter(norm * values), atol=1e-6)


def test_one_set_of_points_filters_many_of_values(rng):
    points, values = torch.tensor(rng.random((1, 80, 2))) * 4, torch.tensor(rng.random((3, 80, 2)))
    one, three = (PermutohedralLattice(p) for p in (points, points.expand(3, -1, -1)))
    assert torch.allclose(one.filter(values), three.filter(values), atol=1e-6)


def test_features_too_far_apart_are_refused():
    with pytest.raises(ValueError, match='spread too far'):
        PermutohedralLattice(torch.tensor([[[0.0] * 5, [1e5] * 5]]))


def test_images_of_a_batch_do_not_see_each_other():
    generator = torch.Generator().manual_seed(0)
    points, values = (torch.rand(3, 200, 2, generator=generator) for _ in range(2))
    together = PermutohedralLattice(points).filter(values)
    for k in range(3):
        alone = PermutohedralLattice(points[k : k + 1]).filter(values[k : k + 1])
        assert torch.allclose(together[k], alone[0], atol=1e-6)


@pytest.mark.parametrize('preset', CRF_PRESETS)
@pytest.mark.parametrize('labels', [2, 4])
def test_torch_equals_pydensecrf(rng, preset, labels):
    pytest.importorskip('pydensecrf')
    image, probs = picture(rng), noisy_probs(rng, labels, 40, 56)
    ours, theirs = (dense_crf(image, probs, preset, name) for name in ('torch', 'pydensecrf'))
    assert np.abs(ours - theirs).max() < 1e-2
    assert (ours.argmax(0) == theirs.argmax(0)).mean() > 0.999
    assert (theirs.argmax(0) != probs.argmax(0)).mean() > 0.05  # it did something


def test_a_batch_equals_its_images(rng):
    images = np.stack([picture(rng) for _ in range(3)])
    probs = np.stack([noisy_probs(rng, 3, 40, 56) for _ in range(3)])
    together = dense_crf(images, probs, backend='torch')
    for k in range(3):
        alone = dense_crf(images[k], probs[k], backend='torch')
        assert np.allclose(together[k], alone, atol=1e-3)


def test_images_before_it_do_not_matter(rng):
    image, probs = picture(rng), noisy_probs(rng, 3, 40, 56)
    _spatial_kernel.cache_clear()
    with torch.inference_mode():
        first = dense_crf(image, probs, backend='torch')
    flipped = dense_crf(image.swapaxes(0, 1), probs.swapaxes(1, 2), backend='torch')
    for preset in ('clip_es', 'irn', 'thesis'):
        again = dense_crf(image, probs, preset, backend='torch')
    assert np.array_equal(first, again) and flipped.shape == (3, 56, 40)


def test_result_adds_up_to_one(rng, backend):
    refined = dense_crf(picture(rng), noisy_probs(rng, 3, 40, 56), backend=backend)
    assert refined.dtype == np.float32 and np.allclose(refined.sum(0), 1, atol=1e-5)


def test_without_weights_the_unary_decides(rng, backend):
    probs = noisy_probs(rng, 3, 40, 56)
    refined = dense_crf(picture(rng), probs, CRFSettings(3, 0, 60, 5, 0, 5), backend)
    assert np.array_equal(refined.argmax(0), probs.argmax(0))


def test_a_constant_image_with_a_constant_unary_stays_constant(backend):
    image = np.full((32, 48, 3), 90, np.uint8)
    probs = np.full((2, 32, 48), 0.5, np.float32)
    assert np.allclose(dense_crf(image, probs, backend=backend), 0.5, atol=1e-4)


def test_a_half_labelled_region_fills_to_its_edge(backend):
    image = np.zeros((48, 48, 3), np.uint8)
    image[:, 24:] = 200
    foreground = np.full((48, 48), 0.3, np.float32)
    foreground[:, 30:] = 0.8  # a part of the bright half
    foreground[:, :24] = 0.2
    refined = dense_crf(image, np.stack([1 - foreground, foreground]), 'psa', backend)
    assert np.array_equal(refined[1] > 0.5, image[..., 0] > 0)


def test_a_mirrored_image_gives_the_mirrored_result(rng, backend):
    image, probs = picture(rng), noisy_probs(rng, 2, 40, 56)
    refined = dense_crf(image, probs, 'psa', backend)
    mirrored = dense_crf(image[:, ::-1].copy(), probs[..., ::-1].copy(), 'psa', backend)
    assert (refined.argmax(0) == mirrored[..., ::-1].argmax(0)).mean() > 0.97


def test_half_resolution_is_close(rng):
    image = picture(rng)
    smooth = np.asarray(image[..., 0] > 128, np.float32) * 0.6 + 0.2
    probs = np.stack([1 - smooth, smooth])
    full, half = (dense_crf(image, probs, 'psa', 'torch', half=h) for h in (False, True))
    assert full.shape == half.shape
    assert (full.argmax(0) == half.argmax(0)).mean() > 0.9


@pytest.mark.parametrize('shape', [(1, 1), (1, 7), (3, 2)])
def test_tiny_images(rng, backend, shape):
    image = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    for half in (False, True):
        refined = dense_crf(image, noisy_probs(rng, 2, *shape), backend=backend, half=half)
        assert refined.shape == (2, *shape) and np.isfinite(refined).all()


def test_tensors_stay_tensors(rng):
    image, probs = picture(rng), torch.as_tensor(noisy_probs(rng, 2, 40, 56))
    refined = dense_crf(torch.as_tensor(image), probs, backend='torch')
    assert isinstance(refined, torch.Tensor) and refined.shape == probs.shape


def test_other_images_are_refused(rng):
    probs = noisy_probs(rng, 2, 40, 56)
    with pytest.raises(ValueError, match=r'image must be uint8 \[H, W, 3\], got torch.float32'):
        dense_crf(picture(rng).astype(np.float32), probs)
    with pytest.raises(ValueError, match=r"preset must be one of thesis, .*, got 'best'"):
        dense_crf(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 2)), preset='best')
    with pytest.raises(ValueError, match='do not fit'):
        dense_crf(picture(rng)[:-1], probs)


def test_labels_become_probabilities():
    mask = np.array([[0, 1, 255]])
    probs = label_probs(mask, 3, 0.7)
    assert np.allclose(probs[:, 0].T, [[0.7, 0.15, 0.15], [0.15, 0.7, 0.15], [1 / 3] * 3])


@pytest.mark.filterwarnings('error')
def test_a_read_only_image_is_no_reason_to_warn(rng, backend):
    image, probs = picture(rng), noisy_probs(rng, 2, 40, 56)
    expected = dense_crf(image, probs, 'thesis', backend)
    image.flags.writeable = False
    assert np.array_equal(dense_crf(image, probs, 'thesis', backend), expected)
