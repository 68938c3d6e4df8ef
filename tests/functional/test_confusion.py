"""Confusion counts which class is called which, without any mask of companions."""

import math

import pytest
import torch

from mmsmoke.functional import IGNORE, confusion_matrix, confusion_ratios, mask_counts


def test_a_picture_by_hand():
    truth = torch.tensor([[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 2, IGNORE], [0, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 2], [0, 2, 1, 1], [0, 1, 2, 2], [0, 0, 0, IGNORE]])
    matrix = confusion_matrix(mask, truth, 2)
    assert matrix.tolist() == [[4, 1, 0], [1, 2, 1], [0, 3, 2]]
    ratios = confusion_ratios(matrix)
    assert ratios[0, 1] == 3 / 2  # three pixels of class 2 are called 1, two are called so rightly
    assert ratios[1, 0] == 1 / 2
    assert ratios.diagonal().isnan().all()


def random_pair(seed=0, num_classes=3, shape=(12, 13)):
    dice = torch.Generator().manual_seed(seed)
    mask, truth = torch.randint(0, num_classes + 1, (2, *shape), generator=dice)
    for values in (mask, truth):
        values[torch.rand(shape, generator=dice) < 0.1] = IGNORE
    return mask, truth


def test_pixel_by_pixel():
    mask, truth = random_pair()
    expected = torch.zeros(4, 4, dtype=torch.int64)
    for called, true in zip(mask.flatten().tolist(), truth.flatten().tolist(), strict=True):
        if IGNORE not in (called, true):
            expected[true, called] += 1
    found = confusion_matrix(mask.byte(), truth, 3)
    assert found.equal(expected)
    counts = torch.stack([found.diagonal(), found.sum(0), found.sum(1)], -1)
    assert counts.equal(mask_counts(mask, truth, 3))
    for k in range(3):
        for b in range(3):
            wrong, right = expected[b + 1, k + 1], expected[k + 1, k + 1]
            ratio = confusion_ratios(found)[k, b].item()
            assert ratio == pytest.approx(float(wrong / right)) if k != b else math.isnan(ratio)


def test_relabelling_another_class_leaves_a_pair_as_it_is():
    mask, truth = random_pair(1)
    before = confusion_ratios(confusion_matrix(mask, truth, 3))
    other = torch.where(truth == 2, 0, truth)
    after = confusion_ratios(confusion_matrix(mask, other, 3))
    assert after[0, 2] == before[0, 2] and after[2, 0] == before[2, 0]
    assert after[0, 1] == 0 != before[0, 1]


def test_without_anything_called_rightly_there_is_no_ratio():
    truth, mask = torch.tensor([[2, 2, 1]]), torch.tensor([[1, 1, 0]])
    matrix = confusion_matrix(mask, truth, 2)
    assert matrix[2, 1] == 2 and confusion_ratios(matrix).isnan().all()
