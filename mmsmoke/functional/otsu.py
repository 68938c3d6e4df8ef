"""Find thresholds without any truth."""

import torch
from torch import Tensor

from .iou import THRESHOLDS, passed


def score_histogram(scores: Tensor) -> Tensor:
    """Count the pixels by how many of the thresholds 0.00, 0.01, … 1.00 their score exceeds.

    Args:
        scores: [K, H, W] in [0, 1].

    Returns:
        int64 [102]; entry n counts the pixels that exceed exactly the n lowest thresholds.
    """
    return torch.bincount(passed(scores.amax(0).flatten()), minlength=len(THRESHOLDS) + 1)


def otsu_threshold(histogram: Tensor) -> float:
    """Return the threshold that divides the pixels into the two groups farthest apart (Otsu 1979).

    It maximises the variance between the groups; of equals, the lowest.

    Args:
        histogram: [102], from :func:`score_histogram`, added up over images.
    """
    counts = histogram.double().cpu()
    level = torch.arange(len(counts), dtype=torch.double)
    below, above = counts.cumsum(0)[:-1], counts.flip(0).cumsum(0).flip(0)[1:]
    total = counts * level
    mean_below = total.cumsum(0)[:-1] / below.clamp(min=1)
    mean_above = total.flip(0).cumsum(0).flip(0)[1:] / above.clamp(min=1)
    between = below * above * (mean_above - mean_below).square()
    return round(THRESHOLDS[int(between.argmax())].item(), 2)
