"""Read class activation maps out of a transformer's attention, and spread maps along it.

N is the number of patches, h * w, in row-major order. T is the number of tokens: the patches are
the last N of them, CLS and its like come first. Row i of an attention holds what i attends to.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from .precision import without_autocast


def sinkhorn(matrix: Tensor, rounds: int = 3) -> Tensor:
    """Make a matrix about doubly stochastic: its columns add up to one, then its rows, and again.

    After each round the rows do exactly and the columns nearly. A row or column of zeros stays.

    Args:
        matrix: [..., N, N], not negative.
    """
    least = torch.finfo(matrix.dtype).tiny
    for _ in range(rounds):
        for dim in (-2, -1):
            matrix = matrix / matrix.sum(dim, keepdim=True).clamp(min=least)
    return matrix


def attention_affinity(attention: Tensor, rounds: int = 3) -> Tensor:
    """Return a symmetric affinity between patches, from how much each attends to each (CLIP-ES).

    Args:
        attention: [..., N, N]; row i holds what patch i attends to. Rows need not add up to one,
            as they do not without the CLS token.

    Returns:
        [..., N, N]; rows and columns add up to about one.
    """
    balanced = sinkhorn(attention, rounds)
    return (balanced + balanced.transpose(-2, -1)) / 2


def box_mask(maps: Tensor, threshold: float = 0.4) -> Tensor:
    """Return the bounding boxes of all that exceeds the threshold, each map for itself.

    One box encloses one connected component; pixels that touch at a corner are connected.

    Args:
        maps: [K, h, w].

    Returns:
        bool [K, h, w], on the device of the maps.
    """
    above = (maps > threshold).to('cpu', torch.uint8).numpy()
    boxes = np.zeros(above.shape, bool)
    for inside, components in zip(boxes, above, strict=True):
        _, _, stats, _ = cv2.connectedComponentsWithStats(components, connectivity=8)
        for x, y, width, height, _ in stats[1:]:  # the first is the background
            inside[y : y + height, x : x + width] = True
    return torch.from_numpy(boxes).to(maps.device)


@without_autocast
def propagate(
    maps: Tensor, affinity: Tensor, sources: Tensor | None = None, steps: int = 2
) -> Tensor:
    """Carry each map ``steps`` times along the affinity between patches.

    The affinity's power is never formed: two products of a matrix and a vector do what one product
    of two matrices and one of a matrix and a vector would.

    Args:
        maps: [..., K, h, w].
        affinity: [..., N, N], row i holding what patch i takes from each patch.
        sources: bool [..., K, h, w]; patches that give something. Any patch may take. All if None.

    Returns:
        [..., K, h, w], not normalised.
    """
    patches = math.prod(maps.shape[-2:])
    if affinity.shape[-2:] != (patches, patches):
        raise ValueError(
            f'maps {list(maps.shape)} need an affinity between all pairs of their '
            f'{patches} patches, got {list(affinity.shape)}'
        )
    values = maps if sources is None else maps * sources
    values = values.flatten(-2).to(affinity.dtype)
    for _ in range(steps):
        values = values @ affinity.mT
    return values.view_as(maps)


def taken_from_patches(attention: Tensor, patches: int, by_cls: bool) -> Tensor:
    """Return what the CLS token, or the mean of the patches, takes from each patch.

    Args:
        attention: [..., T, T].
        patches: N.
        by_cls: the row of the first token, which is CLS, in place of the mean row of the patches.

    Returns:
        [..., N]
    """
    row = attention[..., 0, :] if by_cls else attention[..., -patches:, :].mean(-2)
    return row[..., -patches:]


def class_attention(gradients: Sequence[Tensor], patches: int, by_cls: bool) -> Tensor:
    """Return how much more attention to each patch would raise each logit, as ACR does.

    Sun et al., All-pairs Consistency Learning for Weakly Supervised Semantic Segmentation (2023).
    Of the gradients of logits with respect to the attention, negative ones count as zero. They are
    averaged over heads and added up over blocks.

    Args:
        gradients: [K, B, heads, T, T], one for each block.
        patches, by_cls: which row is looked at, see :func:`taken_from_patches`.

    Returns:
        [B, K, N]
    """
    rows = [taken_from_patches(one.clamp(min=0), patches, by_cls).mean(2) for one in gradients]
    return torch.stack(rows).sum(0).transpose(0, 1)


@without_autocast
def attention_rollout(attention: Tensor) -> Tensor:
    """Return what each token has taken from each token of the input, through all blocks.

    Abnar and Zuidema, Quantifying Attention Flow in Transformers (2020): each block takes one half
    by its attention and, since it adds its input to its output, keeps the other half.

    Args:
        attention: [B, L, T, T] of L blocks in the order in which they run, rows adding up to one.

    Returns:
        [B, T, T], rows adding up to one.
    """
    attention = attention.float()
    itself = torch.eye(attention.shape[-1], device=attention.device)
    flow = itself.expand(len(attention), -1, -1)
    for block in attention.unbind(1):
        flow = (block + itself) / 2 @ flow
    return flow


def unmirrored(attention: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return the attention in a mirrored image with its patches where they are in the image itself.

    Args:
        attention: [..., T, T].
        grid: (h, w) of the patches.
    """
    patches, tokens = math.prod(grid), attention.shape[-1]
    order = torch.arange(tokens, device=attention.device)
    order[-patches:] = order[-patches:].view(grid).flip(1).flatten()
    return attention[..., order[:, None], order]


@without_autocast
def attention_distance(
    ours: Tensor, theirs: Tensor, patches: int, by_cls: bool
) -> tuple[Tensor, Tensor]:
    """Return how far the attention in two views of an image is apart, as ACR does.

    Both are mean absolute differences: of what the CLS token takes from each patch (where an image
    is active), and of what each patch takes from each other one (what belongs together).

    Args:
        ours, theirs: [B, T, T], patches of both in the same order.
        patches, by_cls: see :func:`taken_from_patches`.
    """
    ours, theirs = ours.float(), theirs.float()
    rows = (taken_from_patches(one, patches, by_cls) for one in (ours, theirs))
    pairs = (one[..., -patches:, -patches:] for one in (ours, theirs))
    return tuple((one - other).abs().mean() for one, other in (rows, pairs))
