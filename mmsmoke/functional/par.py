"""Let scores follow the pixels of an image: pixel-adaptive refinement (PAR), as AFA has it."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .precision import without_autocast

DILATIONS = (1, 2, 4, 8, 12, 24)
_DIRECTIONS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
_EPS = 1e-8


@without_autocast
def pixel_adaptive(
    images: Tensor, scores: Tensor, rounds: int = 10, dilations: Sequence[int] = DILATIONS
) -> Tensor:
    """Replace each pixel's scores by a weighted mean of its neighbours' scores, several times.

    The weights are those of :func:`pixel_weights`, divided by their sum, so that scores keep their
    range and constant scores stay as they are. As each class is averaged alike, a background with
    a constant score would stay constant: comparing with it afterwards is the same as AFA's
    refinement together with it.

    Args:
        images: [B, C, H, W] in any unit.
        scores: [B, K, H, W].
        rounds: how often.
        dilations: distances of the neighbours in pixels; eight at each.

    Returns:
        float32 [B, K, H, W].
    """
    weights = pixel_weights(images, dilations)
    weights = (weights / weights.sum(1, keepdim=True)).unsqueeze(2).unbind(1)
    scores = scores.float()
    for _ in range(rounds):
        mean = torch.zeros_like(scores)
        for weight, neighbour in zip(weights, _neighbours(scores, dilations), strict=True):
            mean.addcmul_(weight, neighbour)
        scores = mean
    return scores


@without_autocast
def pixel_weights(
    images: Tensor,
    dilations: Sequence[int] = DILATIONS,
    spread: float = 0.3,
    place_weight: float = 0.01,
) -> Tensor:
    """Return how much each neighbour of a pixel counts: the more, the more alike their colours.

    With the difference d of a channel and its standard deviation s over all neighbours, the
    weights are the softmax of the channels' mean of -(d / (spread s))^2, plus ``place_weight``
    times the same of the distance in place of the colour. They add up to 1 + ``place_weight``.

    Args:
        images: [B, C, H, W].

    Returns:
        float32 [B, 8 D, H, W], for D dilations.
    """
    images = images.float()
    neighbours = list(_neighbours(images, dilations))  # parts of one tensor
    mean = sum(neighbours) / len(neighbours)
    variance = sum((one - mean).square() for one in neighbours) / (len(neighbours) - 1)
    scale = spread * (variance.sqrt() + _EPS)
    alike = torch.stack([-((one - images) / scale).square().mean(1) for one in neighbours], 1)
    distances = torch.tensor(
        [dilation * (y * y + x * x) ** 0.5 for dilation in dilations for y, x in _DIRECTIONS],
        device=images.device,
    )
    near = -(distances / (spread * (distances.std() + _EPS))).square()
    return alike.softmax(1) + place_weight * near.softmax(0)[:, None, None]


def _neighbours(maps: Tensor, dilations: Sequence[int]) -> Iterator[Tensor]:
    """Yield the maps [B, C, H, W] of all neighbours; what lies outside is as the border is."""
    height, width = maps.shape[2:]
    most = max(dilations)
    padded = F.pad(maps, [most] * 4, mode='replicate')
    for dilation in dilations:
        for y, x in _DIRECTIONS:
            top, left = most + dilation * y, most + dilation * x
            yield padded[:, :, top : top + height, left : left + width]
