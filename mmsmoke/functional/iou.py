"""Compute intersection over union at every threshold in one pass over the pixels.

Counts are integers, so that they add up over images, batches and processes without rounding.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .mask_values import IGNORE

THRESHOLDS = torch.arange(101) / 100


def threshold_counts(scores: Tensor, truth: Tensor) -> Tensor:
    """Count the pixels of one image at each of the thresholds 0.00, 0.01, ... 1.00.

    A pixel belongs to class k at threshold t if k is its best class and the score exceeds t, the
    rule of :func:`~mmsmoke.functional.cam.scores_to_mask`; else to the background.

    Args:
        scores: [K, H, W] in [0, 1].
        truth: [H, W], 0 background, k + 1 class k, 255 ignored.

    Returns:
        int64 [K + 1, 101, 3], background first: true positives, predicted pixels, true pixels.
    """
    best, label = (item.flatten() for item in scores.max(dim=0))
    truth = truth.flatten().int()
    num_classes, bins = len(scores), len(THRESHOLDS) + 1
    # one histogram for all classes, of pixels of another class, the right one, and background;
    # the ignored come last
    label = label.int()
    group = 3 * label + (truth == label + 1) + 2 * (truth == 0)
    group[truth == IGNORE] = 3 * num_classes
    histogram = torch.bincount(group * bins + passed(best), minlength=(3 * num_classes + 1) * bins)
    histogram = histogram.view(-1, bins)[: 3 * num_classes].view(num_classes, 3, bins)
    passing = histogram.flip(-1).cumsum(-1).flip(-1)[..., 1:]
    predicted, alarms = passing.sum(1), passing[:, 2].sum(0)
    true = torch.stack([(truth == k).sum() for k in range(num_classes + 1)])
    hit = torch.cat([(true[0] - alarms)[None], passing[:, 1]])
    predicted = torch.cat([(histogram.sum() - predicted.sum(0))[None], predicted])
    return torch.stack([hit, predicted, true[:, None].expand_as(hit)], dim=-1)


def class_threshold_counts(scores: Tensor, truth: Tensor) -> Tensor:
    """Count the pixels of each class of one image at each threshold, whatever other classes do.

    A pixel belongs to class k at threshold t if its score of k exceeds t. Classes that the image
    does not show are left at zero.

    Args:
        scores, truth: as for :func:`threshold_counts`, to which this is equal for a single class.

    Returns:
        int64 [K, 101, 3]: true positives, predicted pixels, true pixels.
    """
    counts = torch.zeros(len(scores), len(THRESHOLDS), 3, dtype=torch.int64, device=scores.device)
    for k in range(len(scores)):
        own = truth == k + 1
        if own.any():
            against_the_rest = torch.where(truth == IGNORE, IGNORE, own.int())
            counts[k] = threshold_counts(scores[k][None], against_the_rest)[1]
    return counts


def passed(scores: Tensor) -> Tensor:
    """Return how many thresholds each score [N] exceeds; nan exceeds none.

    As torch.bucketize has it, which searches and takes ten times as long.
    """
    edges = THRESHOLDS.to(scores.device)
    near = (scores.float().nan_to_num(0) * 100).ceil().clamp(0, len(edges)).int()
    # rounding may have moved it by one
    below = F.pad(edges, (1, 0), value=-torch.inf).index_select(0, near)
    above = F.pad(edges, (0, 1), value=torch.inf).index_select(0, near)
    return near - (below >= scores).int() + (above < scores).int()


def mask_counts(mask: Tensor, truth: Tensor, num_classes: int) -> Tensor:
    """Count the pixels [K + 1, 3] of a label map; those ignored in either map do not count.

    Rows and columns as in :func:`threshold_counts`.
    """
    valid = (truth != IGNORE) & (mask != IGNORE)
    values = torch.arange(num_classes + 1, device=mask.device)[:, None]
    predicted, true = mask[valid] == values, truth[valid] == values
    return torch.stack([(predicted & true).sum(1), predicted.sum(1), true.sum(1)], dim=-1)


def pooled_iou(counts: Tensor) -> Tensor:
    """Return the IoU of all pixels of all images; nan without any truth and prediction.

    Args:
        counts: [N, ..., 3] of N images.
    """
    return iou_of(counts.sum(0))


def iou_of(counts: Tensor) -> Tensor:
    """Return the IoU of pixel counts [..., 3]."""
    hit, predicted, true = counts.double().unbind(-1)
    return hit / (predicted + true - hit)


def image_mean_iou(counts: Tensor, empty: str = 'skip') -> Tensor:
    """Return the mean of the IoU of each image; nan if none has any.

    Literature on smoke calls this "mIoU"; mmseg's mIoU pools the pixels and includes background.
    Images without truth say nothing about localisation and are left out, unless ``empty`` (of
    :func:`image_iou`) says otherwise.
    """
    return image_iou(counts, empty).nanmean(0)


def oracle_iou(counts: Tensor, empty: str = 'skip') -> Tensor:
    """Return the mean IoU with each image at its best threshold: an upper bound.

    Args:
        counts: [N, K, 101, 3].
        empty: as in :func:`image_mean_iou`.

    Returns:
        [K], never below ``image_mean_iou(counts)`` at any one threshold.
    """
    return image_iou(counts, empty).amax(-1).nanmean(0)


EMPTY_TRUTH = ('skip', 'one_if_empty', 'zero')


def image_iou(counts: Tensor, empty: str = 'skip') -> Tensor:
    """Return the IoU of each image and class.

    Args:
        counts: [N, ..., 3].
        empty: of an image without truth: ``skip`` (nan), ``one_if_empty`` (1 if nothing is
            predicted, else 0) or ``zero``, even where nothing is predicted (thesis).
    """
    if empty not in EMPTY_TRUTH:
        raise ValueError(f'empty must be one of {EMPTY_TRUTH}, got {empty!r}')
    rule = dict(skip=torch.nan, zero=0.0, one_if_empty=(counts[..., 1] == 0).double())[empty]
    return torch.where(counts[..., 2] > 0, iou_of(counts), rule)
