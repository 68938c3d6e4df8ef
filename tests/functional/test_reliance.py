import math

import pytest
import torch

from mmsmoke.functional import IGNORE, confusion_counts, energy_share, points_at, two_causes


def test_confusion_by_hand():
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]])
    truth = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, IGNORE]])
    chimney = torch.tensor([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    # of five chimney pixels three are predicted, the truth of one of which is unknown
    assert confusion_counts(mask, truth, chimney, 1).tolist() == [[2, 3]]


def test_other_classes_do_not_change_a_class_confusion():
    generator = torch.Generator().manual_seed(0)
    mask, truth = torch.randint(0, 3, (2, 9, 9), generator=generator)
    chimney = torch.randint(0, 2, (9, 9), generator=generator)
    both = confusion_counts(mask, truth, chimney, 2)
    alone = confusion_counts(mask * (mask == 1), truth * (truth == 1), chimney, 1)
    # what was class 2 is background now: class 1 may be predicted there as before
    assert both[0].tolist() == alone[0].tolist()
    wrong = ((mask == 2) & (chimney == 1) & (truth != 2)).sum()
    assert both[1].tolist() == [int(wrong), int(((mask == 2) & (truth == 2)).sum())]


def test_smoke_in_front_of_a_chimney_is_no_confusion():
    ones = torch.ones(4, 4, dtype=torch.long)
    assert confusion_counts(ones, ones, ones, 1).tolist() == [[0, 16]]


def test_share_of_energy():
    scores = torch.tensor([[[0.5, 0.0], [1.5, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])
    region = torch.tensor([[True, True], [True, False]])
    shares = energy_share(scores, region)
    assert shares[0] == 0.5 and math.isnan(shares[1])
    torch.testing.assert_close(energy_share(7 * scores, region)[0], shares[0])


def test_pointing():
    scores = torch.tensor([[[0.1, 0.9], [0.3, 0.2]], [[0.8, 0.1], [0.1, 0.1]]])
    region = torch.tensor([[False, True], [False, False]])
    assert points_at(scores, region).tolist() == [True, False]
    assert points_at(scores, torch.stack([~region, ~region])).tolist() == [False, True]


def test_an_empty_map_points_at_nothing():
    region = torch.ones(2, 2, dtype=torch.bool)
    assert points_at(torch.zeros(1, 2, 2), region).tolist() == [False]


def test_effects_of_two_causes():
    neither = torch.randn(50, generator=torch.Generator().manual_seed(0))
    smoke, chimney = neither + 3, neither + 1
    # without interaction each effect is what it adds
    of_smoke, of_chimney = two_causes(smoke + 1, smoke, chimney, neither)
    torch.testing.assert_close(of_smoke, torch.full_like(neither, 3))
    torch.testing.assert_close(of_chimney, torch.full_like(neither, 1))
    # what only both together bring is shared
    of_smoke, of_chimney = two_causes(smoke + 5, smoke, chimney, neither)
    torch.testing.assert_close(of_smoke - of_chimney, torch.full_like(neither, 2))
    torch.testing.assert_close(of_smoke + of_chimney, smoke + 5 - neither)


@pytest.mark.parametrize(('blind_to', 'effect'), [('chimney', 1), ('smoke', 0)])
def test_what_does_not_change_the_output_has_no_effect(blind_to, effect):
    neither, other = torch.zeros(3), torch.tensor([1.0, -2.0, 5.0])
    smoke, chimney = (other, neither) if blind_to == 'chimney' else (neither, other)
    causes = two_causes(other, smoke, chimney, neither)
    assert not causes[effect].any()
    torch.testing.assert_close(causes[1 - effect], other)
