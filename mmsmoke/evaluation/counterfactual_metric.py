from collections.abc import Callable

import torch
from torch import Tensor

from mmsmoke.datasets.smokestack.drawing.counterfactuals import KINDS
from mmsmoke.functional import (
    bootstrap_interval,
    cams_to_scores,
    iou_of,
    mask_counts,
    resize_maps,
    scores_to_mask,
    two_causes,
)
from mmsmoke.registry import METRICS
from mmsmoke.utils.thresholds import Value, in_order

from .image_metric import ImageMetric, evidence_of, logits_of, normalize_of
from .pseudo_label_metric import ALARM


@METRICS.register_module()
class CounterfactualMetric(ImageMetric):
    """Measure what a classifier makes of one scene with and without its smoke, and its chimneys.

    For data whose columns ``scene`` and ``kind`` name exact pairs, see docs/cooccurrence.md: of
    each scene ``both`` (smoke from a chimney), ``smoke``, ``chimney``, ``neither`` and ``moved``
    (both, the smoke away from the chimney). In percent, but for effects and deltas:

    ========================= ==================================================================
    ``smoke_effect``          on the logit, mean over the scenes (Shapley value of two causes);
                              effects of opposite signs cancel out
    ``chimney_effect``        likewise; 0 is best
    ``reliance``              size of the chimney's effect, by the sizes of both: 0 for a
                              classifier that reads smoke, 100 for one that reads chimneys
    ``called_KIND``           images of a kind that are called smoke
    ``delta_no_smoke``        change of the logit when the smoke is taken away, mean over the
                              scenes
    ``delta_no_chimney``      … when the chimneys are; below 0 for a classifier that reads them
    ``delta_moved``           … when the smoke rises elsewhere
    ``flips_no_smoke``        decisions that change when the smoke is taken away; 100 is best
    ``flips_no_chimney``      … when the chimneys are taken away; 0 is best
    ``flips_moved``           … when the smoke rises elsewhere; 0 is best
    ``response``              mean activation without the smoke, by that with it; not normalised
    ``chimney_response``      the same of chimney pixels alone; should not exceed 100
    ``iou_KIND``              IoU of the map with the true smoke, mean over images (with a
                              threshold only, as the next two)
    ``recall_moved``          share of the pixels of the smoke that rises elsewhere in the map
    ``same_map``              IoU of the maps with and without the chimneys; 100 is best
    ========================= ==================================================================

    A segmentor's masks (``source='mask'``) have no logits: there are IoUs, ``recall_moved``,
    ``same_map`` and, instead of decisions,

    ========================= ==================================================================
    ``outlined_KIND``         images of a kind of which the mask covers more than 0.1 %
    ========================= ==================================================================

    Effects, reliance, deltas and flips come with the ends of their 95 % interval, ``…_low`` and
    ``…_high``, by bootstrap over the scenes. Maps that a read-out could only give as scores, such
    as those of fused layers, have no ``response``; a warning says so.

    Args:
        threshold: where normalised maps become a mask, or that of each class by its name;
            tools/test.py --threshold-split fills it.
        normalize: see :class:`PseudoLabelMetric`.
        source: ``scores`` (a classifier's ``pred_score`` and ``cams``) or ``mask`` (a segmentor's
            ``pred_sem_seg``).
    """

    default_prefix = 'pairs'

    def __init__(
        self,
        threshold: Value | None = None,
        normalize: str = 'auto',
        source: str = 'scores',
        **kwargs,
    ):
        super().__init__(**kwargs)
        if source not in ('scores', 'mask'):
            raise ValueError(f"source must be 'scores' or 'mask', got {source!r}")
        self.source, self.threshold, self.normalize = source, threshold, normalize

    def look(self, sample: dict) -> dict:
        columns = sample.get('columns', {})
        if columns.get('kind') not in KINDS or not columns.get('scene'):
            return {}
        found = self._mask(sample) if self.source == 'mask' else self._scores(sample)
        found = {name: value.cpu() for name, value in found.items()}
        return dict(scene=columns['scene'], kind=columns['kind'], **found)

    def _mask(self, sample: dict) -> dict[str, Tensor]:
        mask = sample['pred_sem_seg']['data'][0]
        truth = sample['gt_sem_seg']['data'][0].to(mask.device)
        counts = mask_counts(mask, truth, len(self.foreground_names()))
        pixels = counts[:, 1].sum()
        return dict(mask=mask, counts=counts[1:], outlined=counts[1:, 1] > ALARM * pixels)

    def _scores(self, sample: dict) -> dict[str, Tensor]:
        cams, evidence = sample['cams'].float(), evidence_of(sample)
        truth = sample['gt_sem_seg']['data'][0].to(cams.device)
        on_chimney = cams.new_full((len(cams),), torch.nan)
        if 'gt_context' in sample:
            chimney = sample['gt_context']['data'][0].to(cams.device) != 0
            on_chimney = resize_maps(evidence[None], truth.shape)[0][:, chimney].mean(1)
        found = dict(
            logit=logits_of(sample),
            activation=evidence.mean((1, 2)),
            on_chimney=on_chimney,
        )
        if self.threshold is not None:
            normalize = normalize_of(sample, self.normalize)
            scores = cams_to_scores(cams, truth.shape, None, normalize)
            mask = scores_to_mask(scores, in_order(self.threshold, self.foreground_names()))
            found.update(mask=mask, counts=mask_counts(mask, truth, len(cams))[1:])
        return found

    def compute(self, results: list[dict]) -> dict[str, float]:
        scenes = {}
        for found in (result for result in results if 'scene' in result):
            scenes.setdefault(found['scene'], {})[found['kind']] = found
        whole = [scene for scene in scenes.values() if len(scene) == len(KINDS)]
        if not whole:
            return {}
        if self.source == 'mask':
            return self._shares('outlined', _by_kind(whole, 'outlined')) | self._maps(whole)
        self.warn_of_scores([found for scene in whole for found in scene.values()], 'response')
        metrics = self._decisions(_by_kind(whole, 'logit'))
        for name, key in dict(response='activation', chimney_response='on_chimney').items():
            mean = {kind: values.nanmean(0) for kind, values in _by_kind(whole, key).items()}
            known = torch.where(mean['both'] > 0, mean['both'], torch.nan)
            metrics |= self.per_class(name, 100 * mean['chimney'] / known)
        return metrics | (self._maps(whole) if self.threshold is not None else {})

    def _decisions(self, logits: dict[str, Tensor]) -> dict[str, float]:
        causes = torch.stack(two_causes(*(logits[kind] for kind in KINDS[:4])), -1)  # [N, K, 2]
        called = {kind: logits[kind] > 0 for kind in KINDS}
        metrics = {
            **self._mean('smoke_effect', causes[..., 0]),
            **self._mean('chimney_effect', causes[..., 1]),
            **self._with_interval('reliance', causes, _reliance),
        }
        metrics |= self._shares('called', called)
        for change, kind in dict(no_smoke='chimney', no_chimney='smoke', moved='moved').items():
            flips = 100 * (called[kind] != called['both']).double()
            metrics |= self._mean(f'flips_{change}', flips)
            metrics |= self._mean(f'delta_{change}', logits[kind] - logits['both'])
        return metrics

    def _shares(self, name: str, found: dict[str, Tensor]) -> dict[str, float]:
        """Return how many images of each kind [N, K] something is true of, in percent."""
        metrics = {}
        for kind, values in found.items():
            metrics |= self.per_class(f'{name}_{kind}', 100 * values.double().mean(0))
        return metrics

    def _mean(self, name: str, values: Tensor) -> dict[str, float]:
        """Return the mean of values [N, K], with its interval."""
        number = len(values)
        return self._with_interval(name, values, lambda sums: sums / number)

    def _with_interval(
        self, name: str, values: Tensor, statistic: Callable[[Tensor], Tensor]
    ) -> dict[str, float]:
        """Return a statistic [..., K] of sums over scenes, and the interval of its class mean."""
        low, high = bootstrap_interval(
            values, range(len(values)), lambda sums: statistic(sums).nanmean(-1)
        )
        return {
            **self.per_class(name, statistic(values.sum(0))),
            **self.per_class(f'{name}_low', [low]),
            **self.per_class(f'{name}_high', [high]),
        }

    def _maps(self, scenes: list[dict]) -> dict[str, float]:
        metrics, counts = {}, _by_kind(scenes, 'counts')
        for kind in ('both', 'smoke', 'moved'):
            metrics |= self.per_class(f'iou_{kind}', 100 * iou_of(counts[kind]).nanmean(0))
        hit, _, true = counts['moved'].double().unbind(-1)
        metrics |= self.per_class('recall_moved', 100 * (hit / true).nanmean(0))
        same = torch.stack([_overlap(scene['both'], scene['smoke']) for scene in scenes])
        return metrics | self.per_class('same_map', 100 * same.nanmean(0))


def _reliance(effects: Tensor) -> Tensor:
    """Return the reliance of effects [..., 2] of smoke and chimney; nan if there are none."""
    sizes = effects.abs()
    return 100 * sizes[..., 1] / sizes.sum(-1)


def _by_kind(scenes: list[dict], name: str) -> dict[str, Tensor]:
    return {kind: torch.stack([scene[kind][name] for scene in scenes]) for kind in KINDS}


def _overlap(one: dict, other: dict) -> Tensor:
    """Return the IoU [K] of two masks; nan where both are empty."""
    values = torch.arange(1, len(one['counts']) + 1)[:, None, None]
    first, second = one['mask'] == values, other['mask'] == values
    return (first & second).sum((1, 2)) / (first | second).sum((1, 2))
