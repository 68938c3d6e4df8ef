"""Compare the maps of an image with those of another view of it (SEAM, arXiv 2004.04581)."""

import torch
from torch import Tensor

from .cam import background_scores, normalize_cams
from .precision import without_autocast


@without_autocast
def correlated_maps(maps: Tensor, affinity: Tensor) -> Tensor:
    """Let each place take scores from the places that look like it; the maps get no gradient.

    Scores are the positive part of each map over its maximum; at each place the strongest class
    keeps its score, and the background has what that leaves of 1.

    Args:
        maps: signed evidence [B, K, h, w].
        affinity: [B, N, N] with N = h * w, how much a place (column) takes from another (row); see
            :func:`~mmsmoke.models.backbones.pixel_correlation.pixel_affinity`.

    Returns:
        [B, 1 + K, h, w], background first; within [0, 1] if each column adds up to 1.

    Example:
        >>> correlated_maps(torch.rand(1, 2, 3, 4), torch.eye(12)[None]).shape
        torch.Size([1, 3, 3, 4])
    """
    seen = _labelled(normalize_cams(maps.detach().to(affinity), 'max'))
    return (seen.flatten(2) @ affinity).view_as(seen)


@without_autocast
def equivariance_loss(first: Tensor, second: Tensor, present: Tensor) -> Tensor:
    """Return the mean difference of the maps of two views, each normalised (SEAM's ER).

    The mean is over all classes, also over those that an image does not have, whose maps count as
    zero. With many classes that makes it a small weight. The author has tried the mean over present
    classes, found it worse, and went back, so this stays as published.

    Args:
        first, second: signed class maps [B, K, h, w], the one resized as the image was.
        present: bool [B, K], classes that the images have.
    """
    apart = (_scores(first, present) - _scores(second, present)).abs()
    return apart.sum() / max(apart.numel(), 1)


@without_autocast
def cross_equivariance_loss(
    correlated: Tensor, other: Tensor, present: Tensor, share: float = 0.2
) -> Tensor:
    """Return how far correlated maps are from the plain maps of the other view (SEAM's ECR).

    It is the mean of the largest differences of each image, over all classes and the background:
    of ``share * (1 + K) * h * w`` values, rounded down. The plain maps get no gradient, and the
    strongest class at each place is what counts of them. Images without any class are left out:
    there is nothing in them for maps to agree on (SEAM's own data has none).

    Args:
        correlated: [B, 1 + K, h, w], background first; see :func:`correlated_maps`.
        other: signed class maps [B, K, h, w] of the other view.
        present: bool [B, K].
        share: of the values of an image that count.
    """
    target = _labelled(_scores(other.detach(), present))
    always = torch.ones_like(present[:, :1])
    found = _scores(correlated, torch.cat([always, present], 1))
    apart = (target - found)[present.any(1)].abs().flatten(1)
    largest = apart.topk(max(int(share * apart.shape[1]), 1)).values
    return largest.sum() / max(largest.numel(), 1)


@without_autocast
def min_pooling_loss(maps: Tensor, present: Tensor) -> Tensor:
    """Return the mean of the lowest quarter of the strongest class: some of an image is background.

    Args:
        maps: [B, K, h, w]; values below zero count as zero.
        present: bool [B, K]; maps of other classes count as zero.
    """
    best = (maps * present[:, :, None, None]).amax(1).flatten(1)
    lowest = best.topk(max(best.shape[1] // 4, 1), largest=False).values.relu()
    return lowest.sum() / max(lowest.numel(), 1)


def _scores(maps: Tensor, present: Tensor) -> Tensor:
    """Return normalised maps, zero for absent classes."""
    return normalize_cams(maps, 'seam') * present[:, :, None, None]


def _labelled(scores: Tensor) -> Tensor:
    """Put the background before scores [B, K, h, w], of which each place keeps the strongest."""
    best = scores.amax(1, keepdim=True)
    return torch.cat([background_scores(scores, power=1), scores * (scores == best)], 1)
