"""Measure how much a classifier and its maps rely on what a class occurs with, its companion."""

import torch
from torch import Tensor

from .mask_values import IGNORE


def confusion_counts(mask: Tensor, truth: Tensor, companion: Tensor, num_classes: int) -> Tensor:
    """Count the pixels of each class predicted on the companion, and those predicted right.

    Their quotient, pooled over images, is the confusion ratio; a mask that is twice as large
    everywhere keeps it.

    Args:
        mask, truth: [H, W], 0 background, k + 1 class k, 255 ignored.
        companion: [H, W], not zero where the companion is.

    Returns:
        int64 [K, 2].
    """
    values = torch.arange(1, num_classes + 1, device=mask.device)[:, None]
    predicted, true = mask.flatten() == values, truth.flatten() == values
    on_companion = (companion != 0).flatten() & (truth != IGNORE).flatten() & ~true
    return torch.stack([(predicted & on_companion).sum(1), (predicted & true).sum(1)], dim=-1)


def confusion_matrix(mask: Tensor, truth: Tensor, num_classes: int) -> Tensor:
    """Count the pixels of each true value that are called each value; 255 in either is left out.

    Args:
        mask, truth: [H, W], 0 background, k + 1 class k, 255 ignored.

    Returns:
        int64 [K + 1, K + 1], a row for each true value, a column for each in the mask.
    """
    values = num_classes + 1
    valid = (truth < values) & (mask < values)
    pairs = truth.long() * values + mask.long()
    pairs = torch.where(valid, pairs, values * values).flatten()
    return torch.bincount(pairs, minlength=values * values + 1)[:-1].view(values, values)


def confusion_ratios(matrix: Tensor) -> Tensor:
    """Return for classes k and b how many pixels of b are called k, by those called k rightly.

    It is nan where nothing is called k rightly, and on the diagonal.

    Args:
        matrix: [K + 1, K + 1], of :func:`confusion_matrix`, added up over images.

    Returns:
        float64 [K, K], a row for each k, a column for each b.
    """
    classes = matrix[1:, 1:].double()
    right = classes.diagonal()
    ratios = classes.t() / torch.where(right > 0, right, torch.nan)[:, None]
    return ratios.fill_diagonal_(torch.nan)


def energy_share(scores: Tensor, region: Tensor) -> Tensor:
    """Return the share of each map's sum that lies in a region; nan for an empty map.

    Args:
        scores: [K, H, W], not negative.
        region: bool [H, W] or [K, H, W].

    Returns:
        [K]
    """
    scores = scores.double()
    return (scores * region).sum((1, 2)) / scores.sum((1, 2))


def points_at(scores: Tensor, region: Tensor) -> Tensor:
    """Tell whether the highest value of each map lies in a region (the pointing game): bool [K].

    An empty map points at nothing.

    Args:
        scores: [K, H, W]; of several highest values the first counts.
        region: bool [H, W] or [K, H, W].
    """
    highest, place = scores.flatten(1).max(1, keepdim=True)
    found = region.expand_as(scores).flatten(1).gather(1, place)
    return (found & (highest > 0))[:, 0]


def two_causes(both: Tensor, smoke: Tensor, chimney: Tensor, neither: Tensor) -> tuple:
    """Return the contributions of smoke and chimney to an output, from their four combinations.

    These are the Shapley values of two players: the effect of adding one, averaged over whether
    the other is there. Together they are ``both - neither``.

    Returns:
        effect of the smoke, effect of the chimney
    """
    of_smoke = ((both - chimney) + (smoke - neither)) / 2
    of_chimney = ((both - smoke) + (chimney - neither)) / 2
    return of_smoke, of_chimney
