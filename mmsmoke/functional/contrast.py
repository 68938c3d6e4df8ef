"""Bring together what carries the same tag."""

import torch
from torch import Tensor

from .precision import without_autocast


@without_autocast
def supervised_contrast(
    queries: Tensor, keys: Tensor, tags: Tensor, key_tags: Tensor, temperature: float = 0.08
) -> Tensor:
    """Return how much nearer queries are to keys of other tags than to those of their own.

    It is the mean negative logarithm of the softmax over all keys, at the keys of the same tag.

    Args:
        queries, keys: vectors [N, D] and [M, D] of length 1.
        tags, key_tags: whole numbers [N] and [M]; those below 0 are left out.
    """
    logits = (queries @ keys.T / temperature).masked_fill(key_tags < 0, -torch.inf)
    alike = (tags[:, None] == key_tags) & (key_tags >= 0)
    asked = alike.any(1)
    if not asked.any():
        return 0 * queries.sum()
    log_share = logits[asked].log_softmax(1).masked_fill(~alike[asked], 0)
    return -(log_share.sum(1) / alike[asked].sum(1)).mean()
