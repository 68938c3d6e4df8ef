import logging
import sys
from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmsmoke.functional import cams_to_scores

CERTAIN = 1e-7
"""Probabilities are kept so far from 0 and 1 for logits, which would be infinite."""


class ImageMetric(BaseMetric):
    """Measure with one result an image, so that each image counts exactly once.

    However the images were shared out over processes, and however often a sampler repeated some
    to fill a batch, the numbers equal those of one process. Subclasses implement ``look(sample)``,
    which returns what they keep of an image, and ``compute(results)``, which may leave in
    ``details`` what lies behind the numbers: ``curves`` (values at all thresholds, by name) and
    ``images`` (numbers of each image, by its path).
    """

    details: dict

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        self.results += [dict(self.look(one), image=image_name(one)) for one in data_samples]

    def look(self, sample: dict) -> dict:
        raise NotImplementedError

    def compute(self, results: list[dict]) -> dict[str, float]:
        raise NotImplementedError

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        self.details = {}
        unique = {result['image']: result for result in results}
        return self.compute([unique[image] for image in sorted(unique)]) if unique else {}

    def evaluate(self, size: int) -> dict[str, float]:
        # BaseMetric cuts the gathered results to ``size``, which drops the wrong ones if the
        # processes had different shares; compute_metrics removes the repeated ones instead.
        return super().evaluate(sys.maxsize)

    def warn(self, message: str) -> None:
        """Log a warning from ``compute``, which the main process alone calls."""
        print_log(f'{self.prefix}: {message}', logger='current', level=logging.WARNING)

    def warn_of_scores(self, found: Sequence[dict], names: str) -> None:
        """Say how many images lack evidence that the numbers ``names`` need."""
        lacking = sum(bool(one['activation'].isnan().all()) for one in found if 'activation' in one)
        if lacking:
            self.warn(
                f'{names}: {lacking} of {len(found)} images are left out, whose maps are '
                'normalised (several layers fused, or each view by itself)'
            )

    def foreground_names(self) -> Sequence[str] | None:
        classes = (self.dataset_meta or {}).get('classes')
        return classes[1:] if classes else None

    def per_class(self, name: str, values: torch.Tensor | Sequence[float]) -> dict[str, float]:
        """Name the mean over classes ``name`` and, for several classes, each ``name_class``.

        Values that do not exist (nan) are left out.
        """
        values = torch.as_tensor(values).tolist()
        known = [float(value) for value in values if value == value]
        metrics = {name: sum(known) / len(known)} if known else {}
        if len(values) > 1:
            names = self.foreground_names() or range(len(values))
            pairs = zip(names, values, strict=True)
            metrics |= {f'{name}_{key}': float(value) for key, value in pairs if value == value}
        return metrics


def image_name(sample: dict) -> str:
    """Return the whole path: the same name in two data sets is two images."""
    return sample.get('img_path') or sample['image']


def normalize_of(sample: dict, mode: str) -> str:
    """Return how to normalise the maps of a sample: as their read-out asks, if ``auto``."""
    return sample.get('cam_normalize', 'minmax') if mode == 'auto' else mode


def scores_of(sample: dict, normalize: str, present: str) -> torch.Tensor:
    """Return the ``seg_scores`` of a sample, or its maps as scores at the size of its true mask.

    Args:
        normalize, present: see :class:`PseudoLabelMetric`.
    """
    if 'seg_scores' in sample:
        return sample['seg_scores']
    truth, classes = sample['gt_sem_seg']['data'][0], None
    if present != 'all':
        by_label = present == 'label' and 'gt_score' in sample
        classes = sample['gt_score' if by_label else 'pred_score'] > 0.5
    return cams_to_scores(sample['cams'], truth.shape, classes, normalize_of(sample, normalize))


def logits_of(sample: dict) -> torch.Tensor:
    """Return the logit of each class, [K]."""
    return sample['pred_score'].double().logit(eps=CERTAIN)


def evidence_of(sample: dict) -> torch.Tensor:
    """Return the maps of a sample, or nan where they are no evidence, whose strength compares."""
    cams = sample['cams'].float()
    return torch.full_like(cams, torch.nan) if sample.get('cam_normalize') == 'none' else cams
