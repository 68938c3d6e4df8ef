"""Intersection over union at every threshold from one pass over the pixels.

Counts are integers, so that they add up over images, batches and processes without rounding.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .cam import IGNORE

THRESHOLDS = torch.arange(101) / 100


def threshold_counts(scores: Tensor, truth: Tensor) -> Tensor:
    """Pixel counts of one image at each of the thresholds 0.00, 0.01, ... 1.00.

    A pixel belongs to class k at threshold t if k is its best class and the score exceeds t, the
    rule of :func:`~mmsmoke.functional.cam.scores_to_mask`.

    Args:
        scores: [K, H, W] in [0, 1].
        truth: [H, W], 0 background, k + 1 class k, 255 ignored.

    Returns:
        int64 [K, 101, 3]: true positives, predicted pixels, true pixels.
    """
    best, label = (item.flatten() for item in scores.max(dim=0))
    truth = truth.flatten().int()
    num_classes, bins = len(scores), len(THRESHOLDS) + 1
    # one histogram for all classes, of pixels that are wrong and right; the ignored come last
    label = label.int()
    group = 2 * label + (truth == label + 1)
    group[truth == IGNORE] = 2 * num_classes
    histogram = torch.bincount(group * bins + _passed(best), minlength=(2 * num_classes + 1) * bins)
    histogram = histogram.view(-1, bins)[: 2 * num_classes].view(num_classes, 2, bins)
    wrong, hit = histogram.flip(-1).cumsum(-1).flip(-1)[..., 1:].unbind(1)
    true = torch.stack([(truth == k).sum() for k in range(1, num_classes + 1)])
    return torch.stack([hit, wrong + hit, true[:, None].expand_as(hit)], dim=-1)


def _passed(scores: Tensor) -> Tensor:
    """Number of thresholds that each score [N] exceeds; nan exceeds none.

    As torch.bucketize has it, which searches and takes ten times as long.
    """
    edges = THRESHOLDS.to(scores.device)
    near = (scores.float().nan_to_num(0) * 100).ceil().clamp(0, len(edges)).int()
    # rounding may have moved it by one
    below = F.pad(edges, (1, 0), value=-torch.inf).index_select(0, near)
    above = F.pad(edges, (0, 1), value=torch.inf).index_select(0, near)
    return near - (below >= scores).int() + (above < scores).int()


def mask_counts(mask: Tensor, truth: Tensor, num_classes: int) -> Tensor:
    """Pixel counts [K, 3] of a finished label map; ignored in either map counts for nothing.

    Columns as in :func:`threshold_counts`.
    """
    valid = (truth != IGNORE) & (mask != IGNORE)
    classes = torch.arange(1, num_classes + 1, device=mask.device)[:, None]
    predicted, true = mask[valid] == classes, truth[valid] == classes
    return torch.stack([(predicted & true).sum(1), predicted.sum(1), true.sum(1)], dim=-1)


def pooled_iou(counts: Tensor) -> Tensor:
    """IoU over all pixels of all images; nan where there is neither truth nor prediction.

    Args:
        counts: [N, ..., 3] of N images.
    """
    hit, predicted, true = counts.sum(0).double().unbind(-1)
    return hit / (predicted + true - hit)


def image_mean_iou(counts: Tensor) -> Tensor:
    """Mean over the images that have truth of the IoU of each; nan if none has.

    Literature on smoke calls this "mIoU"; mmseg's mIoU pools the pixels and includes background.
    Images without truth say nothing about localisation and are left out.
    """
    return _image_iou(counts).nanmean(0)


def oracle_iou(counts: Tensor) -> Tensor:
    """Mean over the images of the IoU at the threshold that is best for each: an upper bound.

    Args:
        counts: [N, K, 101, 3].

    Returns:
        [K], never below ``image_mean_iou(counts)`` at any one threshold.
    """
    return _image_iou(counts).amax(-1).nanmean(0)


def _image_iou(counts: Tensor) -> Tensor:
    hit, predicted, true = counts.double().unbind(-1)
    return torch.where(true > 0, hit / (predicted + true - hit), torch.nan)
