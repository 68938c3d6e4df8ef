"""Spreads class activation maps along a transformer's attention, as CLIP-ES does.

Lin et al., CLIP is Also an Efficient Segmenter (CVPR 2023). N is the number of patches, h * w, in
row-major order.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from .precision import without_autocast


def sinkhorn(matrix: Tensor, rounds: int = 3) -> Tensor:
    """Makes a matrix about doubly stochastic: its columns add up to one, then its rows, and again.

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
    """Return a symmetric affinity between patches, from how much each attends to each.

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
    """Carries each map ``steps`` times along the affinity between patches.

    The affinity's power is never formed: two products of a matrix and a vector do what one product
    of two matrices and one of a matrix and a vector would.

    Args:
        maps: [K, h, w].
        affinity: [N, N], row i holding what patch i takes from each patch.
        sources: bool [K, h, w]; patches that give something. Any patch may take. All if None.

    Returns:
        [K, h, w], not normalised.
    """
    if affinity.shape != (maps[0].numel(),) * 2:
        raise ValueError(
            f'maps {list(maps.shape)} need an affinity between all pairs of their '
            f'{maps[0].numel()} patches, got {list(affinity.shape)}'
        )
    values = maps if sources is None else maps * sources
    values = values.flatten(1).to(affinity.dtype)
    for _ in range(steps):
        values = values @ affinity.T
    return values.view_as(maps)
