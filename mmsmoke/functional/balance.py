"""Compute losses in which smoke and everything else count alike, however few pixels are smoke."""

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


@without_autocast
def balanced_map_loss(maps: Tensor, masks: Tensor, ignore: int = IGNORE) -> Tensor:
    """Return half the mean binary cross-entropy of maps inside of masks plus half that outside.

    A place of a map answers for all pixels of the mask that it covers, each of which is inside,
    outside, or does not count. Either half is zero where masks have no such pixel.

    Args:
        maps: [B, K, h, w], signed evidence, which is read as logits.
        masks: [B, H, W]; 0 background, k + 1 the inside of map k.
        ignore: value of pixels that do not count.
    """
    maps, size = maps.float(), maps.shape[2:]
    values = torch.arange(1, maps.shape[1] + 1, device=masks.device)[:, None, None]
    inside = F.adaptive_avg_pool2d((masks[:, None] == values).float(), size)
    known = F.adaptive_avg_pool2d((masks[:, None] != ignore).float(), size)
    halves = [
        (F.softplus(logits) * part).sum() / part.sum().clamp(min=torch.finfo(torch.float32).tiny)
        for logits, part in ((-maps, inside), (maps, known - inside))
    ]
    return sum(halves) / 2
