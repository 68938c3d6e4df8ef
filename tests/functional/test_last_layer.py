import pytest
import torch
from torch import nn

from mmsmoke.functional.last_layer import (
    afr_weights,
    balanced,
    fit,
    group_weights,
    lfr_weights,
    self_weights,
    worst_class_accuracy,
)

LABELS = torch.tensor([[1.0], [1.0], [1.0], [0.0], [0.0]])


def test_yes_and_no_count_alike_whatever_their_number():
    weights = balanced(torch.ones(5, 1), LABELS)
    assert weights.sum() == pytest.approx(1)
    assert weights[:3].sum() == pytest.approx(0.5) and weights[3:].sum() == pytest.approx(0.5)


def test_a_class_without_one_side_still_has_weights():
    weights = balanced(torch.ones(3, 1), torch.ones(3, 1))
    assert torch.allclose(weights, torch.full((3, 1), 1 / 3))


def test_afr_without_gamma_is_plain_retraining():
    probability = torch.rand(5, 1, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(afr_weights(probability, LABELS, 0), balanced(torch.ones(5, 1), LABELS))


def test_afr_gives_more_to_what_the_network_is_less_sure_of():
    probability = torch.tensor([[0.9], [0.5], [0.1], [0.9], [0.1]])
    weights = afr_weights(probability, LABELS, 4.0)[:, 0]
    assert weights[2] > weights[1] > weights[0]  # wrong, unsure, right
    assert weights[3] > weights[4]  # a clear image that is called smoke
    assert weights[2] / weights[0] == pytest.approx(torch.exp(torch.tensor(4 * 0.8)).item())


def test_self_takes_those_on_which_two_states_disagree():
    early = torch.tensor([[0.5], [0.1], [0.9], [0.5], [0.2]])
    late = torch.tensor([[0.5], [0.9], [0.9], [0.0], [0.2]])
    chosen = self_weights(early, late, LABELS, 2)[:, 0] > 0
    assert chosen.tolist() == [False, True, False, True, False]


def test_lfr_takes_as_many_right_ones_as_wrong_ones_of_each_side():
    probability = torch.tensor([[0.9], [0.8], [0.2], [0.7], [0.1]])
    chosen = lfr_weights(probability, LABELS)[:, 0] > 0
    assert chosen.tolist() == [True, False, True, True, True]


def test_groups_count_alike():
    context = torch.tensor([True, True, False, True, False])
    weights = group_weights(LABELS, context)[:, 0]
    assert weights[0] + weights[1] == pytest.approx(weights[2].item())
    assert weights[3] == weights[4] == weights[2]


def test_the_worst_class_is_that_of_fewer_right_answers():
    probability = torch.tensor([[0.9], [0.9], [0.1], [0.1], [0.1]])
    assert worst_class_accuracy(probability, LABELS) == pytest.approx(200 / 3)


def test_a_head_learns_what_the_weighted_images_say_and_is_held_back():
    generator = torch.Generator().manual_seed(0)
    feats = torch.randn(40, 2, generator=generator)
    shortcut, cause = (feats[:, :1] > 0).float(), (feats[:, 1:] > 0).float()
    telling = (shortcut != cause).float()

    def learned(weights, pull):
        head = nn.Linear(2, 1)
        with torch.no_grad():
            head.weight.copy_(torch.tensor([[3.0, 0.0]]))
            head.bias.zero_()
        losses = fit(head, feats, cause, weights / weights.sum(), pull, lr=0.5, steps=300)
        assert losses[-1] < losses[0]
        return head.weight[0].detach()

    free, held = learned(telling, 0.0), learned(telling, 10.0)
    assert free[0] < 0 < free[1]
    assert (held - torch.tensor([3.0, 0.0])).norm() < 0.3
