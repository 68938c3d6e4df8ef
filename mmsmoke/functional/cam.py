"""From class activation maps to label maps: normalise, resize, threshold."""

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORE = 255
_SEAM_MARGIN = 1e-5


def normalize_cams(cams: Tensor, mode: str = 'minmax', eps: float = 1e-8) -> Tensor:
    """Scale every map to [0, 1] on its own.

    An empty map stays empty: a map without contrast (``minmax``, ``seam``) or without a positive
    value (``max``) becomes zero, never one.

    Args:
        cams: [..., h, w]; negative values count as zero.
        mode: ``minmax`` (thesis), ``max`` (IRN, PSA) or ``seam`` (SEAM, TransCAM: min-max with a
            margin of 1e-5, so that the lowest value is cut off).
    """
    cams = cams.clamp(min=0)
    high = cams.amax(dim=(-2, -1), keepdim=True)
    if mode == 'max':
        low, margin = torch.zeros_like(high), 0.0
    elif mode in ('minmax', 'seam'):
        low = cams.amin(dim=(-2, -1), keepdim=True)
        margin = _SEAM_MARGIN if mode == 'seam' else 0.0
    else:
        raise ValueError(f"normalize must be 'minmax', 'max' or 'seam', got {mode!r}")
    scaled = (cams - low - margin).clamp(min=0) / (high - low + margin).clamp(min=eps)
    return torch.where(high - low > eps, scaled, torch.zeros_like(scaled))


def cams_to_scores(
    cams: Tensor, size: tuple[int, int], present: Tensor | None = None, normalize: str = 'minmax'
) -> Tensor:
    """Normalised maps at image size, zero for absent classes.

    Args:
        cams: [K, h, w] as the classifier gave them.
        size: (H, W) of the image.
        present: bool [K], classes that the image has; all if None.

    Returns:
        float32 [K, H, W] in [0, 1].
    """
    scores = normalize_cams(cams.float(), normalize)
    if present is not None:
        scores = scores * present.to(scores)[:, None, None]
    return F.interpolate(scores[None], size=size, mode='bilinear', align_corners=False)[0]


def scores_to_mask(scores: Tensor, threshold: float) -> Tensor:
    """Label map: the strongest class where its score exceeds the threshold, else background.

    Args:
        scores: [K, H, W] in [0, 1].
        threshold: a pixel is foreground if its best score is strictly greater.

    Returns:
        uint8 [H, W]; 0 background, k + 1 class k.
    """
    best, label = scores.max(dim=0)
    return torch.where(best > threshold, label + 1, torch.zeros_like(label)).to(torch.uint8)
