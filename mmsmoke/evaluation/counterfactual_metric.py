from collections.abc import Sequence

import numpy as np
import torch

from mmsmoke.functional import (
    bootstrap_interval,
    cams_to_scores,
    iou_of,
    mask_counts,
    scores_to_mask,
    two_causes,
)
from mmsmoke.registry import METRICS

from .image_metric import ImageMetric, image_name, normalize_of

KINDS = ('both', 'smoke', 'chimney', 'neither', 'moved')
_CERTAIN = 1e-7
"""Probabilities are kept so far from 0 and 1: their logits would be infinite."""


@METRICS.register_module()
class CounterfactualMetric(ImageMetric):
    """What a classifier makes of one scene with and without its smoke, and its chimneys.

    For data whose columns ``scene`` and ``kind`` name exact pairs, see docs/cooccurrence.md: of
    each scene ``both`` (smoke from a chimney), ``smoke``, ``chimney``, ``neither`` and ``moved``
    (both, the smoke away from the chimney). In percent, but for the effects:

    ========================= ==================================================================
    ``smoke_effect``          on the logit, mean over the scenes (Shapley value of two causes)
    ``chimney_effect``        likewise; 0 is best
    ``reliance``              the chimney's part of both effects together: 0 for a classifier
                              that reads smoke, 100 for one that reads chimneys
    ``reliance_low``, …       95 % interval, by bootstrap over the scenes
    ``called_KIND``           images of a kind that are called smoke
    ``flips_no_smoke``        decisions that change when the smoke is taken away; 100 is best
    ``flips_no_chimney``      … when the chimneys are taken away; 0 is best
    ``flips_moved``           … when the smoke rises elsewhere; 0 is best
    ``response``              mean activation without the smoke, by that with it; not normalised
    ``iou_KIND``              IoU of the map with the true smoke, mean over images (with a
                              threshold only, as the next)
    ``same_map``              IoU of the maps with and without the chimneys; 100 is best
    ========================= ==================================================================

    Args:
        threshold: where normalised maps become a mask; tools/test.py --threshold-split fills it.
        normalize: see :class:`PseudoLabelMetric`.
    """

    default_prefix = 'pairs'

    def __init__(self, threshold: float | None = None, normalize: str = 'auto', **kwargs):
        super().__init__(**kwargs)
        self.threshold, self.normalize = threshold, normalize

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            columns = sample.get('columns', {})
            result = dict(image=image_name(sample), kind=columns.get('kind'))
            self.results.append(result)
            if result['kind'] not in KINDS:
                continue
            result['scene'] = columns['scene']
            probability = sample['pred_score'].double().cpu()
            result['logit'] = probability.logit(eps=_CERTAIN)
            result['activation'] = sample['cams'].double().mean((1, 2)).cpu()
            if self.threshold is not None:
                self._keep_mask(result, sample)

    def _keep_mask(self, result: dict, sample: dict) -> None:
        truth = sample['gt_sem_seg']['data'][0].to(sample['cams'].device)
        normalize = normalize_of(sample, self.normalize)
        scores = cams_to_scores(sample['cams'], truth.shape, None, normalize)
        mask = scores_to_mask(scores, self.threshold)
        result['counts'] = mask_counts(mask, truth, len(scores))[1:].cpu()
        result['mask'] = mask.cpu().numpy()

    def compute(self, results: list[dict]) -> dict[str, float]:
        scenes = {}
        for result in results:
            if result['kind'] in KINDS:
                scenes.setdefault(result['scene'], {})[result['kind']] = result
        whole = [scene for scene in scenes.values() if len(scene) == len(KINDS)]
        if not whole:
            return {}
        logits = _by_kind(whole, 'logit')
        causes = two_causes(*(logits[kind] for kind in KINDS[:4]))
        called = {kind: logits[kind] > 0 for kind in KINDS}
        activation = {kind: value.sum(0) for kind, value in _by_kind(whole, 'activation').items()}

        def share(where: torch.Tensor) -> torch.Tensor:
            return 100 * where.double().mean(0)

        metrics = {
            **self.per_class('smoke_effect', causes[0].mean(0)),
            **self.per_class('chimney_effect', causes[1].mean(0)),
            **self._reliance(torch.stack(causes, -1)),
            **self.per_class('response', 100 * activation['chimney'] / activation['both']),
        }
        for kind in KINDS:
            metrics |= self.per_class(f'called_{kind}', share(called[kind]))
        for change, kind in dict(no_smoke='chimney', no_chimney='smoke', moved='moved').items():
            flips = share(called[kind] != called['both'])
            metrics |= self.per_class(f'flips_{change}', flips)
        return metrics | (self._maps(whole) if self.threshold is not None else {})

    def _reliance(self, causes: torch.Tensor) -> dict[str, float]:
        """Of effects [N, K, 2]."""

        def reliance(sums: torch.Tensor) -> torch.Tensor:
            return 100 * (sums[..., 1] / sums.sum(-1)).nanmean(-1)

        low, high = bootstrap_interval(causes, range(len(causes)), reliance)
        return {
            **self.per_class('reliance', 100 * causes.sum(0)[:, 1] / causes.sum((0, 2))),
            **self.per_class('reliance_low', [low]),
            **self.per_class('reliance_high', [high]),
        }

    def _maps(self, scenes: list[dict]) -> dict[str, float]:
        metrics = {}
        for kind, counts in _by_kind(scenes, 'counts').items():
            if kind in ('both', 'smoke', 'moved'):
                metrics |= self.per_class(f'iou_{kind}', 100 * iou_of(counts).nanmean(0))
        same = torch.stack([_overlap(scene['both'], scene['smoke']) for scene in scenes])
        return metrics | self.per_class('same_map', 100 * same.nanmean(0))


def _by_kind(scenes: list[dict], name: str) -> dict[str, torch.Tensor]:
    return {kind: torch.stack([scene[kind][name] for scene in scenes]) for kind in KINDS}


def _overlap(one: dict, other: dict) -> torch.Tensor:
    """IoU [K] of two masks; nan where both are empty."""
    values = np.arange(1, len(one['logit']) + 1)[:, None, None]
    first, second = one['mask'] == values, other['mask'] == values
    union = torch.tensor((first | second).sum((1, 2))).double()
    return torch.tensor((first & second).sum((1, 2))) / torch.where(union > 0, union, torch.nan)
