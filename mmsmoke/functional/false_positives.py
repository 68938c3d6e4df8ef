"""Compute losses against regions that look like what is found in images without the class (FPR)."""

import torch
from torch import Tensor

from .cam import normalize_cams
from .precision import without_autocast


def regions_of(maps: Tensor, above: float = 0.1) -> Tensor:
    """Return where maps [B, K, h, w], scaled to a maximum of 1, are stronger than ``above``."""
    return normalize_cams(maps, 'max') > above


@without_autocast
def region_means(feats: Tensor, regions: Tensor) -> Tensor:
    """Return the mean features [B, K, C] of each region; zeros for an empty one.

    Args:
        feats: [B, C, h, w].
        regions: bool [B, K, h, w].
    """
    inside = regions.flatten(2).to(feats)
    sums = inside @ feats.flatten(2).transpose(1, 2)
    return sums / inside.sum(2, keepdim=True).clamp(min=1)


@without_autocast
def nearest_centre(points: Tensor, centres: Tensor, counts: Tensor) -> Tensor:
    """Return the root mean square distance [N, K] of points to the nearest centre of each class.

    Args:
        points: [N, C].
        centres: [K, M, C], of which the first ``counts`` [K] are meant; without any, the distance
            is infinite.
    """
    classes, most, channels = centres.shape
    apart = torch.cdist(points, centres.flatten(0, 1)).view(len(points), classes, most)
    missing = torch.arange(most, device=counts.device) >= counts[:, None]
    return apart.masked_fill(missing, torch.inf).amin(2) / channels**0.5


@without_autocast
def false_positive_losses(
    feats: Tensor,
    maps: Tensor,
    present: Tensor,
    positive: Tensor,
    negative: Tensor,
    counts: Tensor,
    above: float = 0.1,
    temperature: float = 13.0,
) -> tuple[Tensor, Tensor]:
    """Return FPR's losses of regions and of pixels, not weighted.

    With ``p = exp(-(distance / temperature + 0.1))``, where the distance is that of a region's mean
    features, a region costs ``-log p`` of the mean of the positive centres, and ``-log(1 - p)`` of
    the nearest negative one. A pixel of a region that is nearer to a negative centre than to any
    positive one costs its evidence.

    Args:
        feats: [B, C, h, w].
        maps: class maps [B, K, h, w], signed.
        present: bool [B, K], which regions are looked at.
        positive, negative: centres [K, M, C].
        counts: how many of them there are, [K, 2]; classes that lack either are left out.
    """
    regions = regions_of(maps.detach(), above)
    present = present & (counts > 0).all(1) & regions.any(3).any(2)
    if not present.any():
        return 0 * feats.sum(), 0 * maps.sum()
    classes, channels = positive.shape[0], feats.shape[1]
    means = region_means(feats, regions)
    middle = positive.sum(1) / counts[:, :1].clamp(min=1)
    to_positive = torch.linalg.vector_norm(means - middle, dim=2) / channels**0.5
    to_negative = nearest_centre(means.flatten(0, 1), negative, counts[:, 1])
    to_negative = to_negative.view(-1, classes, classes).diagonal(dim1=1, dim2=2)
    alike = to_positive[present] / temperature + 0.1
    unlike = torch.exp(-(to_negative[present] / temperature + 0.1))
    region = alike.mean() - torch.log1p(-unlike).mean()
    with torch.no_grad():
        pixels = feats.permute(0, 2, 3, 1).flatten(0, 2)
        wrong = nearest_centre(pixels, negative, counts[:, 1]) < nearest_centre(
            pixels, positive, counts[:, 0]
        )
        wrong = wrong.view(len(feats), -1, classes).transpose(1, 2).view_as(maps)
        wrong &= regions & present[:, :, None, None]
    pixel = (maps * wrong).sum() / wrong.sum().clamp(min=1)
    return region, pixel
