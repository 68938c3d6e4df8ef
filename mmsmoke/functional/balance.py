"""Losses in which smoke and everything else count alike, however few pixels are smoke."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .mask_values import IGNORE
from .precision import without_autocast


@without_autocast
def balanced_cross_entropy(
    logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore: int = IGNORE
) -> Tensor:
    """Return half the mean cross-entropy of the background plus half that of the foreground.

    Either half is zero where a batch has no pixel of it, so clear images alone teach what they
    do among others, and a batch of ignored pixels has a loss of zero with gradients of zero.

    Args:
        logits: [B, C, H, W], background first; or [B, 1, H, W], logits of the only class.
        labels: [B, H, W]; 0 background.
        weight: [B, H, W], how much each pixel counts for the sum of its half, not for their number.
        ignore: label of pixels that do not count.
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], 1)
    losses = F.cross_entropy(logits, labels.long(), reduction='none', ignore_index=ignore)
    if weight is not None:
        losses = losses * weight
    foreground = (labels != 0) & (labels != ignore)
    halves = [(losses * part).sum() / part.sum().clamp(min=1) for part in (labels == 0, foreground)]
    return sum(halves) / 2
