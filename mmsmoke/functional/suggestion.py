"""Choose images to label next: those of which models are unsure, and that are unlike each other."""

import math

import torch
from torch import Tensor

from .cam import background_scores
from .precision import without_autocast

SLACK = 0.001
"""Share of an image that two masks may differ in without much ado."""


@without_autocast
def pixel_entropy(scores: Tensor) -> Tensor:
    """Return how unsure a segmentor is, a mean over the pixels: 0 of none, 1 where all are even.

    Args:
        scores: [..., K, H, W], probabilities without that of the background.
    """
    whole = torch.cat([background_scores(scores, remainder=True), scores], -3)
    return torch.special.entr(whole).sum(-3).mean((-2, -1)) / math.log(whole.shape[-3])


@without_autocast
def label_entropy(probability: Tensor) -> Tensor:
    """Return how unsure a classifier is of yes and no, a mean over the classes, 0 to 1.

    Args:
        probability: [..., K], each by itself.
    """
    answers = torch.stack([probability, 1 - probability])
    return torch.special.entr(answers).sum(0).mean(-1) / math.log(2)


def mask_disagreement(one: Tensor, other: Tensor) -> Tensor:
    """Return 1 - IoU of two label maps [H, W]: 0 if they are equal, near 1 if nothing is shared.

    Pixels count that either map gives to a class, and as shared where both give the same. A
    :data:`SLACK` of all pixels counts as shared, too, so that a speck is no dispute.
    """
    slack = SLACK * one.numel()
    shared = ((one == other) & (one > 0)).sum()
    return 1 - (shared + slack) / (((one > 0) | (other > 0)).sum() + slack)


@without_autocast
def choose_spread(points: Tensor, worth: Tensor, count: int) -> list[int]:
    """Choose points of high worth far from each other, by a weighted greedy k-centre rule.

    The first is the one of most worth. Each further one has the largest product of worth and
    distance to the nearest chosen one; of equals the earlier one is taken. Where no product is
    above 0, worth alone decides.

    Args:
        points: [N, C].
        worth: [N], not negative.

    Returns:
        Indices in the order of their choice; all of them if there are no more than ``count``.
    """
    points, worth = points.double(), worth.double()
    chosen, nearest = [], torch.ones_like(worth)
    for _ in range(min(count, len(points))):
        gain = worth * nearest
        if not gain.any():
            gain = worth.clone()
        gain[chosen] = -1
        chosen.append(int((gain == gain.max()).nonzero()[0]))
        away = (points - points[chosen[-1]]).norm(dim=1)
        nearest = away if len(chosen) == 1 else torch.minimum(nearest, away)
    return chosen
