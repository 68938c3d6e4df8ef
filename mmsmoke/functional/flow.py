"""Find how pixels move from one frame to another, and move maps with them.

A flow [2, H, W] says how far each pixel of one frame has gone in the other: to the right, and
downwards. So what was at x is there at x + flow(x).
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from .precision import without_autocast

SMALLEST = 16
"""Least side of a picture in which a flow can be found, in pixels."""


def optical_flow(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the flow from one picture to another, float32 [2, H, W] (DIS, OpenCV).

    Args:
        one, other: uint8 [H, W, 3] RGB, or [H, W].
    """
    if one.shape != other.shape:
        raise ValueError(f'pictures must have one size, got {one.shape} and {other.shape}')
    if min(one.shape[:2]) < SMALLEST:
        raise ValueError(f'pictures must have sides of at least {SMALLEST}, got {one.shape}')
    grey = [
        picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        for picture in map(np.ascontiguousarray, (one, other))
    ]
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.ascontiguousarray(finder.calc(*grey, None).transpose(2, 0, 1))


@without_autocast
def warp(maps: Tensor, flow: Tensor) -> Tensor:
    """Fetch maps [K, H, W] of the other frame back to the one that a flow starts from.

    Values are those at x + flow(x), bilinearly; beyond the edge they are those of the edge.
    """
    height, width = maps.shape[1:]
    x, y = _ends(flow)
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.floor().long(), y.floor().long()
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    across, down = x - left, y - top
    above = maps[:, top, left] * (1 - across) + maps[:, top, right] * across
    below = maps[:, bottom, left] * (1 - across) + maps[:, bottom, right] * across
    return above * (1 - down) + below * down


@without_autocast
def seen_in_both(
    forward: Tensor, backward: Tensor, share: float = 0.01, pixels: float = 0.5
) -> Tensor:
    """Tell which pixels of one frame are to be seen in the other too, bool [H, W].

    A pixel that is covered or leaves the picture does not come back: there and back again its
    squared way exceeds ``share`` of both squared ways plus ``pixels`` (Sundaram et al., 2010).

    Args:
        forward, backward: the flow to the other frame, and from there.
    """
    height, width = forward.shape[1:]
    x, y = _ends(forward)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    back = warp(backward, forward)
    ways = forward.square().sum(0) + back.square().sum(0)
    return inside & ((forward + back).square().sum(0) <= share * ways + pixels)


@without_autocast
def flow_difference(
    one: Tensor, other: Tensor, flow: Tensor, visible: Tensor
) -> tuple[Tensor, Tensor]:
    """Return how maps that move with the picture differ, and what there is of both, [K] each.

    These are the sums of ``|one - warp(other)|`` and of ``one + warp(other)`` over all pixels.

    Args:
        one, other: maps of two frames, not negative, [K, H, W].
        flow: from the first to the second, [2, H, W].
        visible: how much each pixel counts, [H, W].
    """
    moved = warp(other, flow)
    difference, together = (one - moved).abs(), one + moved
    return (difference * visible).sum((1, 2)), (together * visible).sum((1, 2))


def _ends(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y of where each pixel goes."""
    height, width = flow.shape[1:]
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)
    return x + flow[0], y[:, None] + flow[1]
