from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmsmoke.datasets.table import group_of
from mmsmoke.functional import (
    EMPTY_TRUTH,
    IGNORE,
    THRESHOLDS,
    bootstrap_interval,
    confusion_matrix,
    image_iou,
    image_mean_iou,
    iou_of,
    mask_counts,
    oracle_iou,
    pooled_iou,
    scores_to_mask,
    threshold_counts,
)
from mmsmoke.registry import METRICS
from mmsmoke.utils.thresholds import Value, check_threshold, in_order

from .confused_pairs import MOST_PAIRED, confused_pairs, counts_of
from .image_metric import ImageMetric, image_name, scores_of

THRESHOLD_VALUES = [round(value, 2) for value in THRESHOLDS.tolist()]
ALARM = 0.001
"""An image counts as predicted to have smoke if a larger share of its pixels is."""


@METRICS.register_module()
class PseudoLabelMetric(ImageMetric):
    """Measure how well CAMs, refined scores or masks agree with true masks, in percent.

    ===================== ======================================================================
    ``image_iou``         foreground IoU, mean over the images with truth: the thesis' "mIoU"
    ``pooled_iou``        foreground IoU of all pixels of all images
    ``miou``              mean of the pooled IoU over background and foreground: mmseg's mIoU
    ``precision``, …      ``recall``, ``f1`` of all pixels of all images
    ``false_pixels``      share of the pixels of clear images that are predicted to be foreground
    ``false_images``      share of the clear images in which more than 0.1 % of the pixels are
    ``ignored``           share of the pixels that a mask leaves open (255)
    ``…_low``, ``…_high`` 95 % interval of both IoUs, by bootstrap over groups of images
    ``image_iou_oracle``  the mean IoU if each image could choose its threshold by its own truth
    ``confusion_B_as_K``  pixels of class B called K, by those called K rightly, of all images;
                          none if nothing is called K rightly
    ``confused_B_as_K``   the former alone, as a share of the pixels of class B
    ===================== ======================================================================

    Images whose truth is unknown are left out, pixels that are ignored in truth or mask too
    (mmseg counts those that a mask leaves open as missed). Where no true mask has any foreground,
    there is no ``miou``, which would be that of the background.
    With several classes, each has its numbers, ``NAME_CLASS``; a mask then has the strongest class
    at each pixel, see :func:`~mmsmoke.functional.scores_to_mask`. ``miou`` counts these masks, with
    their background, as mmseg does; other numbers are means over the classes. Confusion is that of
    masks, and of scores whose threshold is known beforehand; of more than ten classes ``details``
    has it, which have the matrix of pixels, too.
    For scores it looks at all thresholds 0.00 … 1.00 in one pass; without any positive image,
    none can be chosen.

    Args:
        source: ``scores`` (``seg_scores`` of a sample, or its ``cams`` normalised) or ``mask``
            (``pred_sem_seg``).
        threshold: where scores become foreground. None chooses the threshold with the best
            ``image_iou`` on these very images, the lowest of equals, and reports it: right for a
            validation split, an upper bound anywhere else. A dict has that of each class by its
            name, as :class:`ClassThresholds` finds them.
        normalize: for ``cams``, see :func:`~mmsmoke.functional.normalize_cams`; ``auto`` does
            what the classifier's read-out asks for.
        present: which classes ``cams`` may show in an image: those of its ``label``, as a
            pseudo-label run does (then clear images have no false pixels, and there are no such
            numbers), those of the classifier's ``prediction``, as in use, or ``all``.
        empty: what an image without truth counts in ``image_iou``, see
            :func:`~mmsmoke.functional.image_iou`.
        bootstrap: number of samples; 0 for no intervals. They are drawn by groups of images, such
            as videos, see :func:`~mmsmoke.datasets.table.group_of`.
    """

    default_prefix = 'cam'

    def __init__(
        self,
        source: str = 'scores',
        threshold: Value | None = None,
        normalize: str = 'auto',
        present: str = 'label',
        empty: str = 'skip',
        bootstrap: int = 1000,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, choices in (
            ('source', source, ('scores', 'mask')),
            ('present', present, ('label', 'prediction', 'all')),
            ('empty', empty, EMPTY_TRUTH),
        ):
            if value not in choices:
                raise ValueError(f'{name} must be one of {choices}, got {value!r}')
        if isinstance(threshold, Mapping):
            check_threshold(threshold)
        elif threshold is not None and threshold not in THRESHOLD_VALUES:
            raise ValueError(f'threshold must be one of 0.00, 0.01, … 1.00, got {threshold}')
        self.source, self.threshold, self.normalize = source, threshold, normalize
        self.present, self.empty, self.bootstrap = present, empty, bootstrap
        self._said_why = False

    def look(self, sample: dict) -> dict:
        result = dict(group=group_of(sample.get('columns', {}), image_name(sample)))
        result |= self._counts(sample) if 'gt_sem_seg' in sample else dict(counts=None)
        result['sought'] = _is_positive(sample)
        if self.source == 'mask':
            result['found'] = _has_foreground(sample['pred_sem_seg'])
            if 'gt_sem_seg' in sample:
                result['open'] = _open_pixels(sample)
        return result

    def _counts(self, sample: dict) -> dict[str, Tensor]:
        """Count ``counts`` and, for several classes and a known mask, their ``confusion``."""
        truth = sample['gt_sem_seg']['data'][0]
        if self.source == 'mask':
            mask, num_classes = sample['pred_sem_seg']['data'][0], len(self.foreground_names())
            truth = truth.to(mask.device)
            counts = mask_counts(mask, truth, num_classes)
        else:
            scores = scores_of(sample, self.normalize, self.present)
            mask, num_classes, truth = None, len(scores), truth.to(scores.device)
            counts = threshold_counts(scores, truth)
            if self.threshold is not None and (
                num_classes > 1 or isinstance(self.threshold, Mapping)
            ):
                names = self.foreground_names()
                mask = scores_to_mask(scores, in_order(self.threshold, names))
        found = dict(counts=counts.cpu())
        if mask is not None and (num_classes > 1 or isinstance(self.threshold, Mapping)):
            found['confusion'] = confusion_matrix(mask, truth, num_classes).cpu()
        return found

    def compute(self, results: list[dict]) -> dict[str, float]:
        self._warn_of_missing_masks(results)
        known = [result for result in results if result['counts'] is not None]
        if not known:
            return {}
        counts = torch.stack([result['counts'] for result in known])
        metrics = {}
        if self.source == 'scores':
            ious = 100 * image_mean_iou(counts[:, 1:], self.empty)
            if ious.isnan().all():  # no positive image with truth
                if self.threshold is None:
                    return {}  # there is nothing to choose by
            else:
                self.details['curves'] = {'image_iou': rounded(ious.nanmean(0))}
            metrics |= self.per_class(
                'image_iou_oracle', 100 * oracle_iou(counts[:, 1:], self.empty)
            )
            if isinstance(self.threshold, Mapping):
                metrics |= {f'threshold_{name}': one for name, one in self.threshold.items()}
                counts = torch.stack([counts_of(result['confusion']) for result in known])
            else:
                index = self._threshold_index(ious)
                metrics['threshold'] = THRESHOLD_VALUES[index]
                counts = counts[:, :, index]
        else:
            open_pixels, pixels = torch.tensor([result['open'] for result in known]).sum(0)
            metrics |= self.per_class('ignored', 100 * open_pixels[None] / pixels)
        if not counts[:, 1:, 2].any():
            self._say_why_numbers_are_missing(results)
        self.details['images'] = self._of_images(known, counts)
        metrics |= self._overlap(counts) | self._intervals(counts, [one['group'] for one in known])
        if self.source == 'mask' or self.present != 'label':
            metrics |= self._false_alarms(counts)
        if 'confusion' in known[0]:
            matrix = sum(result['confusion'] for result in known)
            pairs = confused_pairs(matrix, self.foreground_names())
            self.details['confusion'] = dict(pairs, matrix=matrix.tolist())
            metrics |= pairs if len(matrix) <= MOST_PAIRED + 1 else {}
        return metrics

    def _threshold_index(self, ious: Tensor) -> int:
        if self.threshold is not None:
            return THRESHOLD_VALUES.index(self.threshold)
        index = best_threshold_index(ious)
        if index == 0:
            self.warn(
                'no threshold is better than 0.00, at which every pixel with any score is '
                'foreground: the maps do not tell where it is'
            )
        return index

    def _warn_of_missing_masks(self, results: list[dict]) -> None:
        sought = sum(result.get('sought', False) for result in results)
        if sought and not any(result.get('found', True) for result in results):
            self.warn(
                f'not one pixel of {len(results)} masks is foreground, though {sought} images '
                'have some: everything is taken for background'
            )

    def _say_why_numbers_are_missing(self, results: list[dict]) -> None:
        sought = sum(result.get('sought', False) for result in results)
        if sought and not self._said_why:
            self._said_why = True
            self.warn(
                f'none of {sought} images with foreground has a true mask that shows it, so there '
                'is no IoU; clear images alone would give a miou that is high for any model'
            )

    def _overlap(self, counts: Tensor) -> dict[str, float]:
        """Measure the overlap of counts [N, K + 1, 3]."""
        hit, predicted, true = counts[:, 1:].sum(0).double().unbind(-1)
        miou = pooled_iou(counts).nanmean(0, keepdim=True)
        return {
            **self.per_class('image_iou', 100 * image_mean_iou(counts[:, 1:], self.empty)),
            **self.per_class('pooled_iou', 100 * pooled_iou(counts[:, 1:])),
            **(self.per_class('miou', 100 * miou) if true.any() else {}),
            **self.per_class('precision', 100 * hit / predicted),
            **self.per_class('recall', 100 * hit / true),
            **self.per_class('f1', 200 * hit / (predicted + true)),
        }

    def _of_images(self, results: list[dict], counts: Tensor) -> dict[str, dict]:
        """Return ``iou``, if there is any, and foreground shares, predicted and true, by path."""
        ious = rounded(100 * image_iou(counts[:, 1:], self.empty).nanmean(1))
        pixels = counts[..., 2].sum(1, keepdim=True)
        _, predicted, true = (100 * counts[:, 1:].sum(1) / pixels).double().unbind(-1)
        numbers = zip(results, ious, rounded(predicted), rounded(true), strict=True)
        return {
            result['image']: {
                **({} if iou is None else {'iou': iou}),
                'predicted': predicted,
                'true': true,
            }
            for result, iou, predicted, true in numbers
            if true is not None  # of some pixel the truth is known
        }

    def _intervals(self, counts: Tensor, groups: Sequence[str]) -> dict[str, float]:
        """Return the intervals of the means over classes."""
        ious = image_iou(counts[:, 1:], self.empty)
        ious_and_number = torch.stack([ious.nan_to_num(0), (~ious.isnan()).double()], -1)
        statistics = dict(
            image_iou=(ious_and_number, lambda sums: sums[..., 0] / sums[..., 1]),
            pooled_iou=(counts[:, 1:], iou_of),
        )
        metrics = {}
        for name, (totals, statistic) in statistics.items() if self.bootstrap else ():
            ends = bootstrap_interval(
                totals, groups, lambda sums, of=statistic: of(sums).nanmean(-1), self.bootstrap
            )
            for end, value in zip(('low', 'high'), ends, strict=True):
                metrics |= self.per_class(f'{name}_{end}', [100 * value])
        return metrics

    def _false_alarms(self, counts: Tensor) -> dict[str, float]:
        true = counts[..., 2]
        clear = counts[(true[:, 0] > 0) & (true[:, 1:] == 0).all(1)]
        if not len(clear):
            return {}
        predicted, pixels = clear[:, 1:, 1].double(), clear[:, :, 1].sum(1, keepdim=True)
        shares = predicted / pixels
        return {
            **self.per_class('false_pixels', 100 * predicted.sum(0) / pixels.sum()),
            **self.per_class('false_images', 100 * (shares > ALARM).double().mean(0)),
        }


def _is_positive(sample: dict) -> bool:
    """Tell by its label, or else by its true mask."""
    if 'gt_score' in sample:
        return bool((sample['gt_score'] > 0.5).any())
    return 'gt_sem_seg' in sample and _has_foreground(sample['gt_sem_seg'])


def _has_foreground(mask: dict) -> bool:
    return bool(((mask['data'] > 0) & (mask['data'] != IGNORE)).any())


def _open_pixels(sample: dict) -> tuple[int, int]:
    """Count the pixels whose truth is known: those that the mask leaves open, and all."""
    mask = sample['pred_sem_seg']['data']
    valid = sample['gt_sem_seg']['data'].to(mask.device) != IGNORE
    return int((valid & (mask == IGNORE)).sum()), int(valid.sum())


def rounded(values: Tensor) -> list[float | None]:
    """Return values for files; None where there is none."""
    return [round(value, 6) if value == value else None for value in values.tolist()]


def best_threshold_index(image_iou: Tensor) -> int:
    """Find, of the 101 thresholds, that with the best mean over classes; the lowest of equals.

    Args:
        image_iou: [K, 101].
    """
    return int(image_iou.nanmean(0).nan_to_num(0).argmax())
