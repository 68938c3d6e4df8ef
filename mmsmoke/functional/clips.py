"""Pool and compare the frames of one clip."""

import torch
from torch import Tensor

from .precision import without_autocast

CLIP_POOLS = ('max', 'mean', 'softmax')


@without_autocast
def pool_clips(values: Tensor, clips: Tensor, pool: str | float = 'max') -> Tensor:
    """Pool values of frames [N, K] to values of their clips [B, K].

    Args:
        clips: the number of each frame's clip, [N], each of 0 … B - 1.
        pool: ``max`` (the strongest frame speaks for the clip), the share of the strongest frames
            whose mean does, as 0.25 (at least one frame), ``mean``, or ``softmax`` (a mean in
            which a frame weighs as much as the exponential of its value: attention to itself).
    """
    if pool not in CLIP_POOLS and not (isinstance(pool, float) and 0 < pool < 1):
        raise ValueError(f'pool must be one of {CLIP_POOLS} or between 0 and 1, got {pool!r}')
    values = values.float()
    return torch.stack([_pooled(values[clips == clip], pool) for clip in range(_number(clips))])


def _number(clips: Tensor) -> int:
    return int(clips.max()) + 1


def _pooled(values: Tensor, pool: str | float) -> Tensor:
    """Pool values [F, K] of one clip."""
    if pool == 'max':
        return values.amax(0)
    if pool == 'mean':
        return values.mean(0)
    if pool == 'softmax':
        return (values.softmax(0) * values).sum(0)
    return values.topk(max(1, round(pool * len(values))), 0).values.mean(0)


@without_autocast
def color_disagreement(
    colors: Tensor, chances: Tensor, frames: Tensor, sigma: float = 0.25
) -> Tensor:
    """Return how differently pixels of one colour are called in different frames, [K].

    It is the pairwise term of a conditional random field, relaxed to probabilities and with
    colours alone (CoLo-CAM, arXiv 2303.09044): over all pairs of pixels i and j of different
    frames, the mean of ``p_i (1 - p_j)``, where a pair weighs
    ``exp(-|c_i - c_j|^2 / (2 sigma^2))``. Where a pixel lies does not matter, so it needs no flow.
    It is 0 if all pixels are surely alike, or if there is one frame only.

    Args:
        colors: of S pixels, [S, C].
        chances: that a pixel shows each class, [S, K].
        frames: the number of each pixel's frame, [S].
        sigma: what difference between colours is small, in their own units.
    """
    colors, chances = colors.float(), chances.float()
    weight = (-(torch.cdist(colors, colors) ** 2) / (2 * sigma**2)).exp()
    weight = weight * (frames[:, None] != frames)
    cost = (chances * (weight @ (1 - chances))).sum(0)
    return cost / weight.sum().clamp(min=1e-6)


@without_autocast
def unchanged(frames: Tensor, sigma: float = 0.1) -> Tensor:
    """Return how near each pixel is to its median over the frames of a clip, [F, H, W] in [0, 1].

    It is ``exp(-d^2 / (2 sigma^2))`` with d^2 the mean over channels of the squared difference.

    Args:
        frames: [F, C, H, W], from one place.
        sigma: what difference is small, in their own units.
    """
    frames = frames.float().contiguous()  # torch's median of an expanded tensor is wrong
    distance = (frames - frames.median(0).values).square().mean(1)
    return (-distance / (2 * sigma**2)).exp()


@without_autocast
def share_of_mass(maps: Tensor, places: Tensor) -> Tensor:
    """Return the share of each map's positive mass that lies in places, 0 for an empty map, [F, K].

    Args:
        maps: [F, K, H, W]; what is below 0 counts as 0.
        places: weights in [0, 1], [F, H, W].
    """
    mass = maps.float().relu()
    return (mass * places[:, None]).sum((2, 3)) / mass.sum((2, 3)).clamp(min=1e-6)
