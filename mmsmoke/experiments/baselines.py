"""Measure score maps that have not looked at the image: any method has to do better."""

from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.evaluation.pseudo_label_metric import THRESHOLD_VALUES, best_threshold_index
from mmsmoke.functional import (
    IGNORE,
    image_mean_iou,
    pooled_iou,
    resize_maps,
    threshold_counts,
)
from mmsmoke.utils import UserError

from .evaluate import tested_splits

GRID = 64
"""Side of the mean mask."""


def trivial_baselines(
    data_root: str,
    splits: Sequence[str],
    threshold_split: str = 'val',
    train_split: str = 'train',
    train_root: str | None = None,
    classes: Sequence[str] = ('smoke',),
) -> list[dict]:
    """Measure the IoU of two maps that are the same for every image that has the class.

    ``everything`` marks all pixels: its mean IoU is the mean share of the class. ``mean mask`` is
    the mean of the true masks of the training images, stretched over each image: what there is to
    know about where smoke usually is. The latter is left out where training images have no masks.

    Args:
        threshold_split: where the threshold of the mean mask is chosen.
        train_root: where the training images lie, if not in ``data_root``.

    Returns:
        A row for each map and class: ``threshold``, and for each split the mean IoU and the pooled
        one, in percent.
    """
    rows = []
    for k, name in enumerate(classes):
        maps = dict(everything=torch.ones(1, 1, 1))
        average = mean_mask(_truths(train_root or data_root, train_split, classes, k))
        if average is not None:
            maps['mean mask'] = average
        counts = {
            split: _counts(maps.values(), _truths(data_root, split, classes, k))
            for split in tested_splits(splits, threshold_split)
        }
        for split, found in counts.items():
            if not len(found):
                raise UserError(f'{data_root}: no image of split {split!r} with {name} has a mask')
        for place, title in enumerate(maps):
            index = best_threshold_index(100 * image_mean_iou(counts[threshold_split][:, place]))
            row = dict(map=title if len(classes) == 1 else f'{title}, {name}')
            row['threshold'] = THRESHOLD_VALUES[index]
            for split in splits:
                chosen = counts[split][:, place, :, index]
                row[split] = round(100 * image_mean_iou(chosen).item(), 1)
                row[f'{split}, pooled'] = round(100 * pooled_iou(chosen).item(), 1)
            rows.append(row)
    return rows


def mean_mask(truths: Iterable[Tensor], grid: int = GRID) -> Tensor | None:
    """Return how many of the masks [H, W] (0, 1, 255 unknown) are 1 at each place, as a share.

    It is [1, grid, grid], or None of no masks.
    """
    true = known = None
    for truth in truths:
        layers = torch.stack([truth == 1, truth != IGNORE])[None].double()
        one, looked_at = F.interpolate(layers, size=(grid, grid), mode='area')[0].split(1)
        true, known = (one, looked_at) if true is None else (true + one, known + looked_at)
    return None if true is None else (true / known.clamp(min=1e-9)).float()


def _truths(data_root: str, split: str, classes: Sequence[str], k: int) -> Iterator[Tensor]:
    """Yield masks of the images that have class k, in which it is 1 and all others are 0."""
    for row in WeakSegDataset(data_root, split=split, classes=classes, test_mode=True):
        if row['gt_score'][k] and 'seg_map_path' in row:
            mask = torch.from_numpy(read_mask(row['seg_map_path']))
            yield torch.where(mask == IGNORE, IGNORE, (mask == k + 1).int())


def _counts(maps: Iterable[Tensor], truths: Iterable[Tensor]) -> Tensor:
    """Count the foreground [N, maps, 1, 101, 3] of the same maps for every image."""
    found = []
    for truth in truths:
        resized = [resize_maps(scores[None], truth.shape)[0] for scores in maps]
        found.append(torch.stack([threshold_counts(one, truth)[1:] for one in resized]))
    return torch.stack(found) if found else torch.empty(0)
