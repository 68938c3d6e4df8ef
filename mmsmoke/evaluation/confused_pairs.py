"""Name which class is called which, of a matrix of pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmsmoke.functional import confusion_ratios

MOST_PAIRED = 10
"""Limits the classes whose pairs are metrics; more would drown the others, and are in details."""


def confused_pairs(matrix: Tensor, names: Sequence[str] | None) -> dict[str, float]:
    """Return ``confusion_B_as_K`` and ``confused_B_as_K`` of all pairs of classes, in percent.

    Args:
        matrix: [K + 1, K + 1], of :func:`~mmsmoke.functional.confusion_matrix`.
        names: of the K classes.
    """
    names = names or range(len(matrix) - 1)
    pixels = matrix[1:].sum(1)
    shares = matrix[1:, 1:] / torch.where(pixels > 0, pixels.double(), torch.nan)[:, None]
    numbers = dict(confusion=confusion_ratios(matrix), confused=shares.t())
    return {
        f'{number}_{true}_as_{called}': 100 * value
        for number, values in numbers.items()
        for called, row in zip(names, values.tolist(), strict=True)
        for true, value in zip(names, row, strict=True)
        if true != called and value == value
    }


def counts_of(matrix: Tensor) -> Tensor:
    """Return the pixels [K + 1, 3] as :func:`~mmsmoke.functional.mask_counts` does."""
    return torch.stack([matrix.diagonal(), matrix.sum(0), matrix.sum(1)], -1)
