import itertools

import numpy as np
import pytest
import torch

from mmsmoke.functional import (
    IGNORE,
    background_scores,
    cams_to_scores,
    fuse_cams,
    merge_views,
    normalize_cams,
    scores_to_mask,
    strongest,
    threshold_of_power,
)

MODES = ('minmax', 'max', 'seam')


def random_cams(*shape, seed=0):
    """Signed, as a convolution gives them."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 5


# normalize_cams


@pytest.mark.parametrize('mode', MODES)
def test_normalised_maps_lie_between_zero_and_one(mode):
    scores = normalize_cams(random_cams(4, 3, 7, 9), mode)
    assert scores.shape == (4, 3, 7, 9)
    assert scores.min() >= 0 and scores.max() <= 1


@pytest.mark.parametrize('mode', ['minmax', 'max'])
def test_strongest_position_becomes_one(mode):
    high = normalize_cams(random_cams(5, 7, 9), mode).amax((-2, -1))
    torch.testing.assert_close(high, torch.ones(5))


@pytest.mark.parametrize(
    ('mode', 'expected'),
    [
        ('minmax', [0.0, 0.5, 1.0]),
        ('max', [0.2, 0.6, 1.0]),
        ('seam', [0.0, (4 - 1e-5) / (8 + 1e-5), (8 - 1e-5) / (8 + 1e-5)]),
    ],
)
def test_values_worked_out_by_hand(mode, expected):
    scores = normalize_cams(torch.tensor([[[2.0, 6.0, 10.0]]]), mode)
    torch.testing.assert_close(scores, torch.tensor([[expected]]))


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('value', [0.0, -3.0])
def test_map_without_evidence_stays_zero(mode, value):
    assert not normalize_cams(torch.full((2, 4, 5), value), mode).any()


@pytest.mark.parametrize('mode', ['minmax', 'seam'])
@pytest.mark.parametrize('value', [0.3, 1.0, 1e6])
def test_map_without_contrast_becomes_zero_not_one(mode, value):
    assert not normalize_cams(torch.full((1, 4, 5), value), mode).any()


@pytest.mark.parametrize('mode', MODES)
def test_negative_evidence_counts_as_none(mode):
    cams = random_cams(3, 6, 6)
    torch.testing.assert_close(normalize_cams(cams, mode), normalize_cams(cams.relu(), mode))


@pytest.mark.parametrize('mode', ['minmax', 'max'])
def test_normalising_twice_changes_nothing(mode):
    once = normalize_cams(random_cams(3, 6, 6), mode)
    torch.testing.assert_close(normalize_cams(once, mode), once)


@pytest.mark.parametrize('mode', ['minmax', 'max'])
def test_strength_of_evidence_does_not_matter(mode):
    cams = random_cams(3, 6, 6)
    torch.testing.assert_close(normalize_cams(50 * cams, mode), normalize_cams(cams, mode))


@pytest.mark.parametrize('mode', MODES)
def test_maps_of_a_batch_do_not_see_each_other(mode):
    cams = random_cams(3, 2, 6, 8) * torch.tensor([1.0, 100.0, 0.0])[:, None, None, None]
    each = [[normalize_cams(cams[b, k], mode) for k in range(2)] for b in range(3)]
    expected = torch.stack([torch.stack(maps) for maps in each])
    torch.testing.assert_close(normalize_cams(cams, mode), expected)


@pytest.mark.parametrize('mode', MODES)
def test_order_of_pixels_is_kept(mode):
    cams = random_cams(1, 8, 8).abs() + 1
    order = normalize_cams(cams, mode).flatten().argsort()
    ranked = cams.flatten()[order]
    assert (ranked.diff() >= 0).all()


def test_input_is_left_as_it_was():
    cams = random_cams(2, 5, 5)
    before = cams.clone()
    normalize_cams(cams)
    assert torch.equal(cams, before)


def test_maps_between_zero_and_one_are_left_alone_if_told():
    cams = torch.tensor([[[-0.5, 0.0, 0.25, 1.0, 1.5]]])
    assert normalize_cams(cams, 'none').tolist() == [[[0, 0, 0.25, 1, 1]]]
    weak = torch.full((2, 3, 3), 0.125)  # no contrast, and yet evidence
    assert torch.equal(normalize_cams(weak, 'none'), weak)


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match="'softmax'"):
        normalize_cams(torch.rand(1, 4, 4), 'softmax')


# cams_to_scores


@pytest.mark.parametrize('size', [(37, 53), (7, 5), (3, 9), (1, 1)])
@pytest.mark.parametrize('grid', [(7, 5), (1, 1), (2, 11)])
def test_scores_have_the_size_of_the_image(size, grid):
    scores = cams_to_scores(random_cams(3, *grid), size)
    assert scores.shape == (3, *size)
    assert scores.dtype == torch.float32
    assert scores.min() >= 0 and scores.max() <= 1


def test_absent_class_has_zero_score():
    cams = random_cams(3, 6, 7)
    scores = cams_to_scores(cams, (20, 31), present=torch.tensor([True, False, True]))
    assert not scores[1].any()
    everything = cams_to_scores(cams, (20, 31))
    assert torch.equal(scores[[0, 2]], everything[[0, 2]])


def test_resizing_is_bilinear_between_pixel_centres():
    scores = cams_to_scores(torch.tensor([[[0.0, 3.0]]]), (1, 4))
    torch.testing.assert_close(scores, torch.tensor([[[0, 0.25, 0.75, 1]]]))


def test_height_and_width_are_not_mixed_up():
    cams = torch.zeros(1, 2, 4)
    cams[0, 0, 3] = 1  # upper right
    scores = cams_to_scores(cams, (10, 40))[0]
    row, column = divmod(int(scores.argmax()), 40)
    assert row < 5 and column >= 30


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_scores_of_any_precision_are_float32(dtype):
    cams = random_cams(1, 6, 6).to(dtype)
    scores = cams_to_scores(cams, (12, 12))
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, cams_to_scores(cams.float(), (12, 12)))


# scores_to_mask


def test_threshold_is_strict():
    scores = torch.tensor([[[0.29, 0.3, 0.31]]])
    assert scores_to_mask(scores, 0.3).tolist() == [[0, 0, 1]]


def test_zero_score_is_background_even_at_threshold_zero():
    assert not scores_to_mask(torch.zeros(2, 3, 3), 0.0).any()


def test_nothing_exceeds_threshold_one():
    assert not scores_to_mask(torch.ones(1, 3, 3), 1.0).any()


def test_foreground_shrinks_as_the_threshold_rises():
    scores = torch.rand(2, 12, 13, generator=torch.Generator().manual_seed(0))
    masks = [scores_to_mask(scores, t / 20) for t in range(21)]
    for lower, higher in itertools.pairwise(masks):
        kept = higher > 0
        assert torch.equal(higher[kept], lower[kept])


def test_strongest_class_wins():
    scores = torch.rand(4, 9, 10, generator=torch.Generator().manual_seed(0))
    mask = scores_to_mask(scores, 0.6)
    assert mask.dtype == torch.uint8 and mask.shape == (9, 10)
    assert set(mask.unique().tolist()) == {0, 1, 2, 3, 4}
    for y in range(9):
        for x in range(10):
            values = scores[:, y, x].tolist()
            best = values.index(max(values)) + 1
            assert mask[y, x] == (best if max(values) > 0.6 else 0)


def test_absent_class_never_appears_in_a_mask():
    scores = cams_to_scores(random_cams(3, 6, 6), (24, 24), torch.tensor([True, False, False]))
    assert set(scores_to_mask(scores, 0.0).unique().tolist()) == {0, 1}


# threshold_of_power

POWERS = {1: 0.5, 4: 0.276, 8: 0.188, 12: 0.147, 16: 0.123, 24: 0.094, 32: 0.077, 48: 0.058}


@pytest.mark.parametrize(('alpha', 'constant'), POWERS.items())
def test_constants_that_equal_a_power(alpha, constant):
    threshold = threshold_of_power(alpha)
    assert threshold == pytest.approx(constant, abs=5e-4)
    assert (1 - threshold) ** alpha == pytest.approx(threshold, abs=1e-9)


@pytest.mark.parametrize('level, sharpness', [(0.3, 5), (0.85, 20)])
def test_odds_against_a_levelled_background_grow_with_the_distance_to_the_level(level, sharpness):
    scores = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(min=0.01)
    background = background_scores(scores, level=level, sharpness=sharpness)
    best = scores.amax(0, keepdim=True)
    assert torch.allclose((best / background).log(), sharpness * (best - level), atol=1e-4)
    assert background_scores(torch.zeros(1, 2, 2), level=level, sharpness=sharpness).min() > 0


@pytest.mark.parametrize(
    'rules',
    [{}, dict(power=4, level=0.8), dict(constant=0.3, power=1), dict(power=1, remainder=True)],
)
def test_a_background_follows_exactly_one_rule(rules):
    with pytest.raises(ValueError, match='give one of power, constant, level and remainder'):
        background_scores(torch.rand(1, 2, 2), **rules)


@pytest.mark.parametrize('num_classes', [1, 3])
@pytest.mark.parametrize('alpha', [0.5, 1, 4, 12, 48])
def test_power_rule_is_comparing_each_pixel_with_the_power(num_classes, alpha):
    scores = torch.rand(num_classes, 40, 50, generator=torch.Generator().manual_seed(0)) ** 4
    background = (1 - scores.amax(0, keepdim=True)) ** alpha
    expected = torch.cat([background, scores]).argmax(0)
    assert 0 in expected and num_classes in expected
    assert torch.equal(scores_to_mask(scores, threshold_of_power(alpha)).long(), expected)


def test_power_rule_is_strict():
    scores = torch.tensor([[[0.4999, 0.5, 0.5001]]])  # background scores the same in the middle
    assert scores_to_mask(scores, threshold_of_power(1)).tolist() == [[0, 0, 1]]


def test_foreground_grows_as_the_power_rises():
    scores = torch.rand(2, 30, 30, generator=torch.Generator().manual_seed(0)) ** 3
    masks = [scores_to_mask(scores, threshold_of_power(alpha)) for alpha in POWERS]
    for lower, higher in itertools.pairwise(masks):
        kept = lower > 0
        assert torch.equal(higher[kept], lower[kept])
        assert (higher > 0).sum() > kept.sum()


@pytest.mark.parametrize('alpha', [0, -4, float('nan')])
def test_power_that_is_not_positive_is_refused(alpha):
    with pytest.raises(ValueError, match=f'alpha must be positive, got {alpha}'):
        threshold_of_power(alpha)


# fuse_cams

FUSIONS = ('mean', 'max', 'product')


@pytest.mark.parametrize('mode', FUSIONS)
def test_one_layer_is_only_normalised(mode):
    cams = random_cams(1, 3, 6, 7)
    torch.testing.assert_close(fuse_cams(cams, mode), normalize_cams(cams[0]))
    torch.testing.assert_close(fuse_cams(cams, mode, [0.3]), normalize_cams(cams[0]))


@pytest.mark.parametrize('mode', FUSIONS)
@pytest.mark.parametrize('weights', [None, [1, 2, 5, 0.1]])
def test_identical_layers_give_the_layer(mode, weights):
    layer = normalize_cams(random_cams(2, 6, 7))
    fused = fuse_cams(layer.expand(4, 2, 6, 7), mode, weights)
    torch.testing.assert_close(fused, layer)


@pytest.mark.parametrize('mode', FUSIONS)
def test_layers_that_are_all_empty_give_zeros(mode):
    assert torch.equal(fuse_cams(torch.zeros(3, 2, 4, 5), mode), torch.zeros(2, 4, 5))


@pytest.mark.parametrize('mode', ['mean', 'max'])
def test_empty_layer_leaves_the_other(mode):
    cams = torch.cat([random_cams(1, 2, 6, 7), torch.zeros(1, 2, 6, 7)])
    torch.testing.assert_close(fuse_cams(cams, mode), normalize_cams(cams[0]))


def test_empty_layer_empties_the_product():
    cams = torch.cat([random_cams(1, 2, 6, 7), torch.zeros(1, 2, 6, 7)])
    assert not fuse_cams(cams, 'product').any()


@pytest.mark.parametrize(
    ('mode', 'combine'),
    [
        ('mean', lambda a, b: (3 * a + b) / 4),
        ('max', lambda a, b: torch.maximum(a, b / 3)),
        ('product', lambda a, b: (a**3 * b) ** 0.25),
    ],
)
def test_weights_say_how_much_a_layer_counts(mode, combine):
    cams = random_cams(2, 3, 6, 7).abs()
    expected = normalize_cams(combine(normalize_cams(cams[0]), normalize_cams(cams[1])))
    torch.testing.assert_close(fuse_cams(cams, mode, [3, 1]), expected)
    torch.testing.assert_close(fuse_cams(cams, mode, [0.6, 0.2]), expected)
    assert (fuse_cams(cams, mode) - expected).abs().max() > 0.01


@pytest.mark.parametrize('mode', FUSIONS)
def test_fused_maps_are_scores_and_strength_of_a_layer_does_not_matter(mode):
    cams = random_cams(3, 2, 6, 7)
    fused = fuse_cams(cams, mode)
    assert fused.shape == (2, 6, 7) and fused.min() == 0 and fused.max() == 1
    stronger = cams * torch.tensor([1, 100, 0.1])[:, None, None, None]
    torch.testing.assert_close(fuse_cams(stronger, mode), fused)


@pytest.mark.parametrize('mode', FUSIONS)
def test_order_of_layers_does_not_matter(mode):
    cams = random_cams(3, 2, 6, 7)
    torch.testing.assert_close(fuse_cams(cams.flip(0), mode), fuse_cams(cams, mode))


def test_unknown_fusion_is_named():
    with pytest.raises(ValueError, match=r"\['max', 'mean', 'product'\], got 'median'"):
        fuse_cams(random_cams(2, 1, 4, 4), 'median')


@pytest.mark.parametrize('weights', [[1], [1, 2, 3], [1, 0], [1, -1], [1, float('nan')]])
def test_weights_that_do_not_fit_the_layers_are_refused(weights):
    with pytest.raises(ValueError, match='2 layers need as many positive weights'):
        fuse_cams(random_cams(2, 1, 4, 4), weights=weights)


# merge_views

MERGES = ('mean', 'sum', 'sum_of_max')


@pytest.mark.parametrize(
    ('mode', 'expected'),
    [('mean', [(1 - 2 + 4 + 8) / 4, -13 / 4]), ('sum', [11, -13]), ('sum_of_max', [9, 3])],
)
def test_merged_values_worked_out_by_hand(mode, expected):
    first = [[1.0, -5.0], [-2.0, -3.0]]  # a view and its mirror image, two pixels
    second = [[4.0, -8.0], [8.0, 3.0]]
    views = torch.tensor([first, second])[:, :, None]
    assert merge_views(views, mode).tolist() == [expected]


@pytest.mark.parametrize('mode', MERGES)
def test_order_of_views_does_not_matter(mode):
    views = random_cams(4, 2, 3, 1, 6, 7)
    merged = merge_views(views, mode)
    assert merged.shape == (3, 1, 6, 7)
    torch.testing.assert_close(merge_views(views[[2, 0, 3, 1]], mode), merged)
    torch.testing.assert_close(merge_views(views.flip(1), mode), merged)


@pytest.mark.parametrize('mode', ['mean', 'sum'])
def test_single_view_is_merged_to_itself(mode):
    views = random_cams(1, 1, 3, 6, 7)
    assert torch.equal(merge_views(views, mode), views[0, 0])


def test_unknown_merge_is_named():
    with pytest.raises(ValueError, match=r"\['mean', 'sum', 'sum_of_max'\], got 'max'"):
        merge_views(random_cams(2, 1, 3, 4, 4), 'max')


# strongest


@pytest.mark.parametrize('shape', [(3, 5, 6), (2, 4, 5, 6)])
def test_the_label_of_a_softmax_without_its_background_is_that_of_the_logits(shape):
    logits = random_cams(*shape)
    labels = strongest(logits.softmax(-3).narrow(-3, 1, shape[-3] - 1))
    assert torch.equal(labels, logits.argmax(-3))
    assert labels.unique().tolist() == list(range(shape[-3]))


def test_background_wins_a_tie():
    assert strongest(torch.tensor([0.5]).view(1, 1, 1)).item() == 0


def by_hand(scores, thresholds, band=None):
    """Decide each pixel by itself: of the classes above their thresholds that of the most times."""
    out = torch.zeros(scores.shape[1:], dtype=torch.uint8)
    for row, column in np.ndindex(*out.shape):
        pixel = scores[:, row, column].tolist()
        above = [k for k, score in enumerate(pixel) if score > thresholds[k]]
        if above:
            out[row, column] = 1 + max(above, key=lambda k: pixel[k] / thresholds[k])
        elif band and any(score > low for score, low in zip(pixel, band, strict=True)):
            out[row, column] = IGNORE
    return out


@pytest.mark.parametrize('band', [None, [0.1, 0.3, 0.2]])
def test_each_class_has_its_threshold_and_the_largest_multiple_wins(band):
    scores = torch.rand(3, 9, 11, generator=torch.Generator().manual_seed(1)).double()
    thresholds = [0.2, 0.7, 0.45]
    mask = scores_to_mask(scores, thresholds, band)
    assert mask.equal(by_hand(scores, thresholds, band))
    assert set(mask.unique().tolist()) >= {1, 2, 3, IGNORE if band else 0}
    # 0.5 is more than twice its threshold, 0.9 is not
    assert scores_to_mask(torch.tensor([[[0.5]], [[0.9]]]), [0.2, 0.5]).item() == 1
    assert scores_to_mask(torch.tensor([[[0.5]], [[0.9]]]), 0.2).item() == 2


def test_equal_thresholds_are_one_and_one_class_is_as_ever():
    scores = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(2))
    assert scores_to_mask(scores, [0.3] * 3, [0.1] * 3).equal(scores_to_mask(scores, 0.3, 0.1))
    edge = torch.tensor([[[0.31, 0.31 + 1e-7, 0.3]]])  # neither rounding nor division moves it
    assert scores_to_mask(edge, [0.31]).equal(scores_to_mask(edge, 0.31))


def test_a_threshold_of_zero_takes_every_score_and_the_best_of_two():
    scores = torch.tensor([[[0.0, 0.2, 0.1]], [[0.0, 0.1, 0.9]]])
    assert scores_to_mask(scores, [0, 0.5]).tolist() == [[0, 1, 1]]
    assert scores_to_mask(scores, [0, 0]).tolist() == [[0, 1, 2]]
    with pytest.raises(ValueError, match='2 classes need as many thresholds'):
        scores_to_mask(scores, [0.1, 0.2, 0.3])
