"""Compute the affinity of neighbouring pixels: labels of pairs, losses, and a random walk.

A pair is a pixel (y, x) and the pixel at (y + dy, x + dx). A map of pairs has shape [B, P, h, w],
one channel an offset (dy, dx), and a pair stands at the place of its first pixel. Where the second
pixel lies outside the map there is no pair, and what stands there means nothing.
"""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .mask_values import IGNORE
from .precision import without_autocast

LEAST_AFFINITY = 1e-5
LEAST_SCORE = 1e-5
Offsets = Sequence[tuple[int, int]]


def pair_offsets(radius: float) -> list[tuple[int, int]]:
    """List the offsets (dy, dx) that lead forward, row by row, and less than ``radius`` far.

    Each unordered pair of pixels has one of them.

    Example:
        >>> len(pair_offsets(5))
        34
    """
    if not radius > 1:
        raise ValueError(f'radius must exceed 1, the distance of neighbours, got {radius}')
    reach = math.ceil(radius)
    return [
        (dy, dx)
        for dy in range(reach)
        for dx in range(1 - reach, reach)
        if (dy, dx) > (0, 0) and dy**2 + dx**2 < radius**2
    ]


def shifted(maps: Tensor, offset: tuple[int, int], fill: float = 0) -> Tensor:
    """Return [..., h, w] with the value at (y + dy, x + dx) for each (y, x); ``fill`` beyond."""
    (dy, dx), (height, width) = offset, maps.shape[-2:]
    padding = max(-dx, 0), max(dx, 0), max(-dy, 0), max(dy, 0)
    padded = F.pad(maps, padding, value=fill)
    top, left = max(dy, 0), max(dx, 0)
    return padded[..., top : top + height, left : left + width]


class PairLabels(NamedTuple):
    """Hold bool maps of pairs: both background, both of one class, of different classes."""

    background: Tensor
    foreground: Tensor
    different: Tensor


def affinity_labels(labels: Tensor, offsets: Offsets) -> PairLabels:
    """Return the labels of pairs in a label map; a pair with 255 at either pixel has none.

    Args:
        labels: [B, h, w], 0 background, 255 unknown.

    Returns:
        Three maps [B, P, h, w]; each pair is in one of them or in none.
    """
    first = labels[:, None]
    second = torch.stack([shifted(labels, offset, IGNORE) for offset in offsets], dim=1)
    known = (first != IGNORE) & (second != IGNORE)
    same = known & (first == second)
    return PairLabels(same & (first == 0), same & (first != 0), known & ~same)


def feature_affinity(features: Tensor, offsets: Offsets) -> Tensor:
    """Return PSA's affinity, ``exp(-mean_c |f_i - f_j|)``.

    Args:
        features: [B, C, h, w].

    Returns:
        [B, P, h, w] in (0, 1].
    """
    away = [(features - shifted(features, offset)).abs().mean(1) for offset in offsets]
    return torch.stack(away, dim=1).neg().exp()


def boundary_affinity(boundary: Tensor, offsets: Offsets) -> Tensor:
    """Return IRN's affinity, ``1 - e`` for the strongest boundary e between both pixels.

    Args:
        boundary: [B, h, w] in [0, 1].

    Returns:
        [B, P, h, w] in [0, 1].
    """
    paths = [straight_path(offset) for offset in offsets]
    places = sorted({place for path in paths for place in path})
    number = {place: index for index, place in enumerate(places)}
    around = torch.stack([shifted(boundary, place) for place in places], dim=1)
    highest = [around[:, [number[place] for place in path]].max(dim=1).values for path in paths]
    return 1 - torch.stack(highest, dim=1)


def straight_path(offset: tuple[int, int]) -> list[tuple[int, int]]:
    """List the pixels less than one pixel from the line between (0, 0) and ``offset``, with both.

    A narrower path could slip through a boundary of diagonal neighbours unseen.
    """
    dy, dx = offset
    rows, columns = (range(min(end, 0), max(end, 0) + 1) for end in offset)
    return [(y, x) for y in rows for x in columns if (dy * x - dx * y) ** 2 < dy**2 + dx**2]


def affinity_losses(affinity: Tensor, pairs: PairLabels) -> dict[str, Tensor]:
    """Return the terms of PSA's and IRN's loss: cross entropy, balanced by the kinds of pairs.

    A quarter each of the means over background and over foreground pairs, which shall have
    affinity 1, and half of the mean over different ones, which shall have 0. A kind without pairs
    counts zero.
    """
    wanted = dict(
        background=(pairs.background, affinity, 0.25),
        foreground=(pairs.foreground, affinity, 0.25),
        different=(pairs.different, 1 - affinity, 0.5),
    )
    return {
        name: weight * (_surprise(probability) * kind).sum() / kind.sum().clamp(min=1)
        for name, (kind, probability, weight) in wanted.items()
    }


def _surprise(probability: Tensor) -> Tensor:
    """Return -log p: 0 at 1, and finite at 0, with a gradient there too."""
    return math.log1p(LEAST_AFFINITY) - (probability + LEAST_AFFINITY).log()


@torch.no_grad()
@without_autocast
def random_walk(
    scores: Tensor, affinity: Tensor, radius: float = 5, beta: float = 8, log_t: int = 8
) -> Tensor:
    """Spread scores over pixels that are alike, by 2 ** log_t steps of a random walk.

    A step replaces each pixel's scores by a mean over its neighbourhood, weighted with affinity **
    beta, and with 1 for itself. Values stay within those of the input. This is PSA's product with
    a matrix T squared log_t times, whose columns sum to one; steps with the sparse T need neither
    the memory nor the time of its dense powers.

    Args:
        scores: [B, C, h, w].
        affinity: [B, P, h, w] in [0, 1], for ``pair_offsets(radius)``.

    Returns:
        float32 [B, C, h, w].
    """
    offsets = pair_offsets(radius)
    (batch, channels, *grid), expected = scores.shape, len(offsets)
    if affinity.shape != (batch, expected, *grid):
        raise ValueError(
            f'scores {list(scores.shape)} and radius {radius} need affinities '
            f'{[batch, expected, *grid]}, got {list(affinity.shape)}'
        )
    step = _transition(affinity.float() ** beta, offsets)
    values = scores.float().permute(0, 2, 3, 1).reshape(-1, channels)
    for _ in range(2**log_t):
        values = step @ values
    return values.view(batch, *grid, channels).permute(0, 3, 1, 2).contiguous()


def _transition(affinity: Tensor, offsets: Offsets) -> Tensor:
    """Return T, transposed: sparse [B h w, B h w], one block an image, rows that sum to one."""
    batch, _, height, width = affinity.shape
    device = affinity.device
    itself = affinity.new_ones(batch, height, width)
    back = [shifted(affinity[:, p], (-dy, -dx)) for p, (dy, dx) in enumerate(offsets)]
    weights = torch.stack([*reversed(back), itself, *affinity.unbind(1)], dim=-1)
    # in the order of the columns of a row
    around = [*((-dy, -dx) for dy, dx in reversed(offsets)), (0, 0), *offsets]
    away = torch.tensor(around, device=device)
    rows = torch.arange(height, device=device)[:, None, None] + away[:, 0]
    columns = torch.arange(width, device=device)[:, None] + away[:, 1]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    weights = weights * inside
    weights = weights / weights.sum(-1, keepdim=True)

    first = torch.arange(batch, device=device)[:, None] * (height * width)
    places = (rows * width + columns)[inside] + first
    counts = inside.sum(-1).flatten().repeat(batch)
    ends = F.pad(counts.cumsum(0), (1, 0))
    with warnings.catch_warnings():  # that sparse matrices are young
        warnings.simplefilter('ignore', UserWarning)
        # 32 bits: what the kernels count with; they would convert wider indices at every step
        return torch.sparse_csr_tensor(
            ends.int(), places.flatten().int(), weights[:, inside].flatten(), (len(counts),) * 2
        )


def confident_labels(low: Tensor, high: Tensor) -> Tensor:
    """Make PSA's training labels of two opinions, each of them sure about something else.

    Args:
        low: [L, H, W] probabilities, background first, with a background that is easily believed
            (the low power alpha): what is foreground here, certainly is.
        high: the same with a background that is hardly believed: what is background here, is.

    Returns:
        uint8 [H, W]; 255 where neither is the case, or where all values are below 1e-5.
    """
    strict, loose = low.argmax(0), high.argmax(0)
    labels = torch.where(strict > 0, strict, IGNORE)
    labels[loose == 0] = 0
    empty = torch.maximum(low.amax(0), high.amax(0)) < LEAST_SCORE
    labels[empty] = IGNORE
    return labels.to(torch.uint8)


def agreed_labels(strict: Tensor, loose: Tensor) -> Tensor:
    """Make IRN's training labels of two label maps [H, W], with little and much foreground.

    Foreground is what is so in the strict map, background what is so in both; the rest is 255.
    """
    background = torch.where((strict == 0) & (loose == 0), 0, IGNORE)
    return torch.where(strict > 0, strict, background).to(torch.uint8)
