"""Compared with loops over Python floats, written from the definitions in the documentation."""

import math
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, kl_divergence

from mmsmoke.functional import transfer_distance
from mmsmoke.functional.transfer import match_grids

LEVELS = ('global', 'spatial', 'channel', 'map', 'gram')
COMBINATIONS = [
    *((level, metric, 'matched') for level in LEVELS for metric in ('cosine', 'l1', 'l2')),
    *(('channel', metric, 'all') for metric in ('cosine', 'l1', 'l2')),
    ('global', 'kl', 'all'),
]
every_combination = pytest.mark.parametrize(('level', 'metric', 'pairs'), COMBINATIONS)


def maps(*shape, seed=0, dtype=torch.float32):
    """Signed, with a mean that differs from zero."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) + 0.5).to(dtype)


def two_maps(*shape, **kwargs):
    return maps(*shape, seed=1, **kwargs), maps(*shape, seed=2, **kwargs)


def orthonormal(rows, length, seed=0):
    square = torch.linalg.qr(maps(length, length, seed=seed, dtype=torch.float64))[0]
    return square[:rows].float()


# the definitions, one number at a time


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def naive_cosine(a, b):
    return 1 - dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def naive_l1(a, b):
    return sum(abs(x - y) for x, y in zip(a, b, strict=True)) / len(a)


def naive_l2(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def naive_kl(student, teacher):
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        p, q = 1 / (1 + math.exp(-t)), 1 / (1 + math.exp(-s))
        total += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    return total / len(student)


NAIVE = dict(cosine=naive_cosine, l1=naive_l1, l2=naive_l2, kl=naive_kl)


def joined(rows):
    return [x for row in rows for x in row]


def naive_vectors(channels, level):
    """Lists of numbers that one image's channels, lists of N numbers, are cut into."""
    positions = [list(position) for position in zip(*channels, strict=True)]
    if level == 'global':
        return [joined(channels)]
    if level == 'spatial':
        return positions
    if level == 'channel':
        return channels
    if level == 'map':
        return [[sum(position) / len(position) for position in positions]]
    cosines = [[1 - naive_cosine(a, b) for b in channels] for a in channels]
    return [joined(cosines)]


def naive_distance(student, teacher, level, metric, pairs, center=False):
    values = []
    for images in zip(student.tolist(), teacher.tolist(), strict=True):
        images = [[joined(rows) for rows in image] for image in images]
        if center:
            images = [[[x - sum(c) / len(c) for x in c] for c in image] for image in images]
        s, t = (naive_vectors(image, level) for image in images)
        together = product(s, t) if (level, pairs) == ('channel', 'all') else zip(s, t, strict=True)
        values += [NAIVE[metric](a, b) for a, b in together]
    return sum(values) / len(values)


@pytest.mark.parametrize('center', [False, True])
@every_combination
def test_it_equals_its_definition(level, metric, pairs, center):
    student, teacher = two_maps(3, 4, 2, 5)
    value = transfer_distance(student, teacher, level, metric, pairs, center)
    assert value.shape == ()
    expected = naive_distance(student, teacher, level, metric, pairs, center)
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_the_default_is_global_cosine_of_all_channels_without_centring():
    student, teacher = two_maps(3, 4, 2, 5)
    expected = naive_distance(student, teacher, 'global', 'cosine', 'all')
    assert transfer_distance(student, teacher).item() == pytest.approx(expected, rel=1e-5)
    value = transfer_distance(student, teacher, 'channel').item()
    assert value == pytest.approx(naive_distance(student, teacher, 'channel', 'cosine', 'all'))


# properties of the cosine


def test_global_cosine_is_zero_for_equal_and_two_for_opposite_maps():
    x = maps(4, 2, 5, 5)
    assert transfer_distance(x, x).item() == pytest.approx(0, abs=1e-6)
    assert transfer_distance(x, -x).item() == pytest.approx(2)


@pytest.mark.parametrize('seed', range(5))
def test_global_cosine_lies_between_zero_and_two(seed):
    x = maps(1, 2, 2, 2, seed=seed)
    for y in (maps(1, 2, 2, 2, seed=seed + 9), x + 1e-4, -x - 1e-4):
        assert -1e-6 <= transfer_distance(x, y) <= 2 + 1e-6


@pytest.mark.parametrize(('mine', 'other'), [(7, 1), (1, 0.01), (1e4, 1e-4)])
def test_global_cosine_ignores_how_strong_either_map_is(mine, other):
    student, teacher = two_maps(2, 3, 4, 4)
    torch.testing.assert_close(
        transfer_distance(mine * student, other * teacher), transfer_distance(student, teacher)
    )


def test_a_channel_of_much_more_strength_decides_global_cosine_alone():
    same, mine, other = orthonormal(3, 16).reshape(3, 1, 4, 4)
    student, teacher = torch.stack([50 * same, mine], 1), torch.stack([50 * same, other], 1)
    loss = transfer_distance(student, teacher).item()
    assert loss < 0.01 and loss == pytest.approx(1 / (50**2 + 1), rel=1e-2)
    by_channel = transfer_distance(student, teacher, 'channel', pairs='matched')
    assert by_channel.item() == pytest.approx(0.5)


@pytest.mark.parametrize('depth', [2, 3])
def test_all_pairs_of_independent_channels_are_apart_even_in_equal_maps(depth):
    x = orthonormal(depth, 36).reshape(1, depth, 6, 6)
    assert transfer_distance(x, x, 'channel', pairs='all').item() == pytest.approx(1 - 1 / depth)
    matched = transfer_distance(x, x, 'channel', pairs='matched')
    assert matched.item() == pytest.approx(0, abs=1e-6)


def test_a_constant_student_scores_without_centring_alone():
    teacher = maps(1, 1, 8, 8).abs()
    student = torch.ones_like(teacher)
    mean_over_rms = teacher.mean() / teacher.square().mean().sqrt()
    torch.testing.assert_close(transfer_distance(student, teacher), 1 - mean_over_rms)
    centred = transfer_distance(student, teacher, center=True)
    assert centred.item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize('pairs', ['all', 'matched'])
def test_centring_makes_channel_cosine_the_correlation(pairs):
    student, teacher = two_maps(1, 3, 4, 4)
    table = np.corrcoef(student[0].flatten(1), teacher[0].flatten(1))[:3, 3:]
    expected = 1 - (table if pairs == 'all' else np.diag(table)).mean()
    value = transfer_distance(student, teacher, 'channel', pairs=pairs, center=True)
    assert value.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(('level', 'metric', 'pairs'), COMBINATIONS[:-1])
def test_centring_removes_constant_shifts_of_each_channel(level, metric, pairs):
    student, teacher = two_maps(2, 3, 4, 4)
    shifted = student + torch.tensor([1.0, -2.0, 3.0])[:, None, None]
    value, same, changed = (
        transfer_distance(x, teacher, level, metric, pairs, center)
        for x, center in ((student, True), (shifted, True), (shifted, False))
    )
    torch.testing.assert_close(same, value, rtol=1e-4, atol=1e-5)
    assert abs(changed - value) > 0.01


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('pairs', ['all', 'matched'])
def test_a_map_of_zeros_has_cosine_zero_with_everything(level, pairs):
    x = maps(2, 3, 4, 4)
    for student, teacher in ((0 * x, x), (x, 0 * x), (0 * x, 0 * x)):
        assert transfer_distance(student, teacher, level, pairs=pairs).item() == 1


# the other metrics


def test_l2_of_independent_maps_grows_with_the_root_of_their_size():
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 4, 2, 32, 32, generator=generator)
    expected = math.sqrt(2 * 2 * 32 * 32)
    value = transfer_distance(student, teacher, metric='l2').item()
    assert value == pytest.approx(expected, rel=0.05)


def test_kl_of_one_logit_is_not_constant_and_is_zero_for_equal_logits_only():
    teacher = torch.tensor([[2.0], [-1.0]])
    assert transfer_distance(teacher, teacher, metric='kl').item() == pytest.approx(0, abs=1e-7)
    values = [transfer_distance(teacher + d, teacher, metric='kl').item() for d in (-2, -1, 1, 2)]
    assert min(values) > 0.05 and values[0] > values[1] and values[3] > values[2]


@pytest.mark.parametrize('classes', [1, 3])
def test_kl_is_that_of_independent_bernoulli_variables(classes):
    student, teacher = two_maps(4, classes)
    expected = kl_divergence(Bernoulli(logits=teacher), Bernoulli(logits=student)).mean()
    torch.testing.assert_close(transfer_distance(student, teacher, metric='kl'), expected)


@pytest.mark.parametrize('metric', ['cosine', 'l1', 'l2'])
def test_logits_compare_as_maps_of_one_position_do(metric):
    student, teacher = two_maps(4, 3)
    expected = naive_distance(
        student[..., None, None], teacher[..., None, None], 'global', metric, 'all'
    )
    value = transfer_distance(student, teacher, metric=metric).item()
    assert value == pytest.approx(expected, rel=1e-5)


def test_many_nearly_equal_channels_keep_their_small_distances():
    student, teacher = (1000 + x for x in two_maps(1, 32, 4, 4))  # matrix products cancel here
    value, exact = (
        transfer_distance(student.to(dtype), teacher.to(dtype), 'channel', 'l2')
        for dtype in (torch.float32, torch.float64)
    )
    assert value.item() == pytest.approx(exact.item(), rel=1e-5)


# grids


@every_combination
def test_the_finer_grid_is_resized_to_the_coarser(level, metric, pairs):
    fine, coarse = maps(2, 3, 8, 12, seed=1), maps(2, 3, 4, 6, seed=2)
    halved = F.avg_pool2d(fine, 2)  # what bilinear resizing to the half is
    for pair, resized in (
        ((fine, coarse), (halved, coarse)),
        ((coarse, fine), (coarse, halved)),
    ):
        value = transfer_distance(*pair, level, metric, pairs)
        torch.testing.assert_close(value, transfer_distance(*resized, level, metric, pairs))


def test_matched_grids_are_the_coarser_one_and_equal_grids_are_left_alone():
    fine, coarse = maps(2, 3, 7, 9), maps(2, 3, 5, 6)
    for student, teacher in ((fine, coarse), (coarse, fine)):
        resized = match_grids(student, teacher)
        assert [x.shape for x in resized] == [coarse.shape, coarse.shape]
        assert resized[student is fine] is coarse
    untouched = match_grids(fine, fine)
    assert untouched[0] is fine and untouched[1] is fine


# gradients and precision


@every_combination
def test_gradients_are_those_of_finite_differences(level, metric, pairs):
    student, teacher = two_maps(2, 3, 2, 2, dtype=torch.float64)
    inputs = student.requires_grad_(), teacher.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda s, t: transfer_distance(s, t, level, metric, pairs), inputs
    )


@pytest.mark.parametrize('center', [False, True])
@pytest.mark.parametrize('case', ['student zero', 'teacher zero', 'both zero', 'equal'])
@every_combination
def test_gradients_stay_small_where_a_map_is_zero_or_maps_are_equal(
    level, metric, pairs, case, center
):
    student, teacher = two_maps(2, 3, 4, 4)
    student = student * (case not in ('student zero', 'both zero'))
    teacher = teacher * (case not in ('teacher zero', 'both zero'))
    teacher = student.clone() if case == 'equal' else teacher
    inputs = student.requires_grad_(), teacher.requires_grad_()
    value = transfer_distance(*inputs, level, metric, pairs, center)
    assert value.isfinite()
    for gradient in torch.autograd.grad(value, inputs):
        assert gradient.isfinite().all() and gradient.abs().max() < 10


@every_combination
def test_it_computes_in_float32_under_autocast(level, metric, pairs):
    student, teacher = two_maps(2, 3, 4, 4)
    expected = transfer_distance(student, teacher, level, metric, pairs)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = transfer_distance(student, teacher, level, metric, pairs)
        assert torch.equal(value, expected) and value.dtype == torch.float32


@every_combination
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_maps_of_half_precision_are_compared_in_float32(level, metric, pairs, dtype):
    student, teacher = two_maps(2, 3, 4, 4, dtype=dtype)
    value = transfer_distance(student, teacher, level, metric, pairs)
    expected = transfer_distance(student.float(), teacher.float(), level, metric, pairs)
    assert torch.equal(value, expected) and value.dtype == torch.float32
    mixed = transfer_distance(student, teacher.float(), level, metric, pairs)
    assert torch.equal(mixed, expected)


# what is refused


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(level='pixel'), 'level must be one of global, .*gram, got .pixel'),
        (dict(metric='mse'), 'metric must be one of cosine, l1, l2, kl, got .mse'),
        (dict(pairs='own'), 'pairs must be one of all, matched, got .own'),
        (dict(level='spatial', metric='kl'), 'kl compares logits .* global, not spatial'),
    ],
)
def test_unknown_choices_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        transfer_distance(*two_maps(2, 3, 4, 4), **options)


@pytest.mark.parametrize('shape', [(2, 4, 4, 4), (1, 3, 4, 4), (2, 3)])
def test_maps_that_do_not_fit_are_named_with_the_remedy(shape):
    with pytest.raises(ValueError, match=r'\(2, 3, 4, 4\) and .* cannot be compared: .*projection'):
        transfer_distance(maps(2, 3, 4, 4), maps(*shape))


@pytest.mark.parametrize(
    ('shape', 'level'),
    [
        ((2, 1), 'global'),
        ((2, 1, 1, 1), 'global'),
        ((2, 1, 4, 4), 'spatial'),
        ((2, 3), 'channel'),
        ((2, 3, 1, 1), 'map'),
    ],
)
def test_cosine_of_single_numbers_is_refused_but_not_their_l1(shape, level):
    student, teacher = two_maps(*shape)
    with pytest.raises(ValueError, match=f'no gradient.* level {level} are single numbers'):
        transfer_distance(student, teacher, level)
    assert transfer_distance(student, teacher, level, 'l1') > 0


def test_l1_is_the_same_by_position_as_over_all_which_l2_and_cosine_are_not():
    # so configs/sweeps/crossarch_grid.py trains only one of them
    both = two_maps(2, 3, 4, 5)
    for metric, same in (('l1', True), ('l2', False), ('cosine', False)):
        spatial, whole = (
            transfer_distance(*both, level, metric) for level in ('spatial', 'global')
        )
        assert torch.isclose(spatial, whole) == same


@pytest.mark.parametrize('metric', ['cosine', 'l1', 'l2'])
@pytest.mark.parametrize('shape', [(2, 1, 4, 4), (2, 3, 1, 1), (2, 3)])
def test_gram_of_a_single_channel_or_position_is_refused(shape, metric):
    with pytest.raises(ValueError, match='gram needs several channels and positions'):
        transfer_distance(*two_maps(*shape), 'gram', metric)


@pytest.mark.parametrize('shape', [(2, 3), (2, 3, 1, 1)])
def test_centring_a_single_position_is_refused(shape):
    with pytest.raises(ValueError, match='center needs maps'):
        transfer_distance(*two_maps(*shape), metric='l1', center=True)
