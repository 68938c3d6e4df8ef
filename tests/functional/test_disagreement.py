import math

import pytest
import torch

from mmsmoke.functional import divergence, mutual_information

CERTAIN = torch.tensor([1.0, 1.0, 0.0, 0.0])
OTHER = torch.tensor([1.0, 0.0, 1.0, 0.0])


def heads(*answers):
    return torch.stack(answers, 1)[:, :, None]


def test_it_is_zero_for_independent_heads():
    assert mutual_information(heads(CERTAIN, OTHER)).item() == pytest.approx(0, abs=1e-6)
    weak = heads(0.4 + 0.2 * CERTAIN, 0.1 + 0.7 * OTHER)
    assert mutual_information(weak).item() == pytest.approx(0, abs=1e-6)


def test_it_is_one_bit_for_equal_or_opposite_heads_that_are_sure():
    assert mutual_information(heads(CERTAIN, CERTAIN)).item() == pytest.approx(math.log(2))
    assert mutual_information(heads(CERTAIN, 1 - CERTAIN)).item() == pytest.approx(math.log(2))


def test_it_is_positive_for_equal_heads_that_are_not_sure():
    p = torch.tensor([0.9, 0.6, 0.3, 0.2])
    assert mutual_information(heads(p, p)) > 0.01


def test_a_head_that_always_says_the_same_tells_nothing():
    assert mutual_information(heads(CERTAIN, torch.full((4,), 0.7))).item() == pytest.approx(
        0, abs=1e-6
    )


def test_it_is_that_of_the_joint_table():
    p, q = torch.rand(2, 50, generator=torch.Generator().manual_seed(0)).double()
    expected = 0
    for a in (p, 1 - p):
        for b in (q, 1 - q):
            joint = (a * b).mean()
            expected += joint * (joint / (a.mean() * b.mean())).log()
    torch.testing.assert_close(mutual_information(heads(p, q)), expected)


def test_pairs_and_classes_are_averaged():
    alike, apart = heads(CERTAIN, CERTAIN), heads(CERTAIN, OTHER)
    both = mutual_information(torch.cat([alike, apart], 2))
    assert both.item() == pytest.approx(math.log(2) / 2)
    three = mutual_information(heads(CERTAIN, CERTAIN, OTHER))
    assert three.item() == pytest.approx(math.log(2) / 3)


def test_gradients_are_finite_where_heads_are_sure():
    p = heads(CERTAIN, CERTAIN).requires_grad_()
    mutual_information(p).backward()
    assert p.grad.isfinite().all()


def test_divergence_is_zero_at_the_prior_alone():
    p = heads(CERTAIN, OTHER)
    assert divergence(p, 0.5).item() == pytest.approx(0, abs=1e-6)
    assert divergence(p, 0.2) > divergence(p, 0.4) > 0
    assert divergence(torch.ones(4, 2, 1), 0.5).item() == pytest.approx(math.log(2), rel=1e-3)
