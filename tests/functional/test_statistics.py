import math

import numpy as np
import pytest
import torch
from scipy.special import stdtr

from mmsmoke.functional import bootstrap_interval, holm, mean_interval, paired_test


def mean_of(sums):
    return sums[..., 0] / sums[..., 1]


def totals(values):
    values = torch.as_tensor(values).double()
    return torch.stack([values, torch.ones_like(values)], -1)


def test_interval_of_independent_images_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(50, 10, 400)
    low, high = bootstrap_interval(totals(values), range(400), mean_of, samples=4000)
    half = 1.96 * values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - half, abs=0.15)
    assert high == pytest.approx(values.mean() + half, abs=0.15)


def test_frames_of_one_video_are_not_independent():
    videos = np.random.default_rng(0).normal(50, 10, 20)
    values, groups = np.repeat(videos, 30), np.repeat(np.arange(20), 30).tolist()
    wide = bootstrap_interval(totals(values), groups, mean_of)
    narrow = bootstrap_interval(totals(values), range(600), mean_of)
    ratio = (wide[1] - wide[0]) / (narrow[1] - narrow[0])
    assert ratio == pytest.approx(30**0.5, rel=0.15)
    alone = bootstrap_interval(totals(videos), range(20), mean_of)
    assert wide == pytest.approx(alone)


def test_the_true_mean_lies_within_as_often_as_it_says():
    rng, within = np.random.default_rng(0), 0
    for seed in range(200):
        values = rng.normal(0, 1, 60)
        low, high = bootstrap_interval(totals(values), range(60), mean_of, 300, seed=seed)
        within += low <= 0 <= high
    assert 0.9 <= within / 200 <= 0.98


def test_interval_does_not_depend_on_the_size_of_groups_names_or_order():
    values = torch.tensor(np.random.default_rng(0).random(30))
    table = totals(values)
    groups = [f'video {i % 7}' for i in range(30)]
    order = sorted(range(30), key=lambda i: i % 7)
    first = bootstrap_interval(table, groups, mean_of)
    assert first == bootstrap_interval(table, [name.upper() for name in groups], mean_of)
    again = bootstrap_interval(table[order], [groups[i] for i in order], mean_of)
    assert first == pytest.approx(again)
    assert first != bootstrap_interval(table, groups, mean_of, seed=1)


def test_one_group_says_nothing_about_others():
    ends = bootstrap_interval(totals([1.0, 2.0]), ['video', 'video'], mean_of)
    assert all(math.isnan(end) for end in ends)


def test_draws_without_any_value_are_left_out():
    table = torch.tensor([[5.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert bootstrap_interval(table, range(3), mean_of) == (5, 5)


def test_paired_test_agrees_with_a_table_of_t():
    # t of the mean over its standard error is 2.776 at the 95 % point with 4 degrees of freedom
    values = np.array([-2.0, -1, 0, 1, 2])
    error = values.std(ddof=1) / 5**0.5
    assert paired_test(values + 2.776445 * error) == pytest.approx(0.05, abs=1e-5)
    assert paired_test(-(values + 2.776445 * error)) == pytest.approx(0.05, abs=1e-5)


def test_paired_test_of_too_little_or_nothing():
    assert math.isnan(paired_test([3.0]))
    assert paired_test([0.0, 0.0, 0.0]) == 1
    assert paired_test([0.5, 0.5]) == 0
    assert paired_test([0.1 + 0.2, 0.3, 0.3]) == 0  # equal but for rounding


def test_correction_for_many_tests():
    corrected = holm([0.04, 0.01, float('nan'), 0.03])
    assert corrected[:2] == pytest.approx([0.06, 0.03]) and math.isnan(corrected[2])
    assert corrected[3] == pytest.approx(0.06)
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize('count', [2, 3, 5, 30])
def test_paired_test_agrees_with_the_distribution_of_student(count):
    values = np.random.default_rng(count).normal(0.4, 1, count)
    expected = 2 * stdtr(count - 1, -abs(values.mean()) / values.std(ddof=1) * count**0.5)
    assert paired_test(values.tolist()) == pytest.approx(expected, rel=1e-9)


def test_the_interval_of_a_mean_is_where_the_test_becomes_sure():
    values = [1.0, 2.5, 2.0, 4.0, 3.5]
    low, high = mean_interval(values)
    for end in (low, high):
        assert paired_test([value - end for value in values]) == pytest.approx(0.05, abs=1e-6)
    assert (low + high) / 2 == pytest.approx(2.6)
    assert all(map(math.isnan, mean_interval([3.0])))
