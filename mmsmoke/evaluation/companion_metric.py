import torch
from torch import Tensor

from mmsmoke.functional import (
    IGNORE,
    cams_to_scores,
    confusion_counts,
    energy_share,
    points_at,
    resize_maps,
    scores_to_mask,
)
from mmsmoke.registry import METRICS
from mmsmoke.utils.thresholds import Value, in_order

from .image_metric import ImageMetric, evidence_of, normalize_of


@METRICS.register_module()
class CompanionMetric(ImageMetric):
    """Measure whether maps, or masks, cling to what comes together with a class, in percent.

    Images without ``context/`` say nothing about it; those whose ``context/`` is empty count for
    what is called rightly.

    ======================= ====================================================================
    ``energy``              share of a map's sum that lies on companions, mean over the images
                            with class and companion, of maps that are not normalised; 0 is best
    ``pointing``            share of these images whose map is highest on the class; 100 is best
    ``confusion``           pixels called the class on companions, by pixels called so rightly,
                            pooled over all images (with a threshold only; none if nothing is
                            called rightly); classes that the classifier does not see in an image
                            are not called
    ``confused_pixels``     the former alone, as a share of the companions' pixels
    ``response``            mean activation where a companion stands without the class, by the
                            mean activation where both are; from maps that are not normalised,
                            which would always reach 1; 0 is best
    ======================= ====================================================================

    Pixels of the class itself, in front of a companion, and pixels of unknown truth are no
    companion's. Maps that a read-out could only give as scores, such as those of fused layers, have
    no ``energy`` and no ``response``; a warning says so.

    Args:
        source: ``cams``, or ``mask`` (``pred_sem_seg``) for ``confusion`` and ``confused_pixels``
            alone.
        threshold: where normalised maps become a mask, or that of each class by its name;
            tools/test.py --threshold-split fills it.
        normalize: see :class:`PseudoLabelMetric`.
    """

    default_prefix = 'companion'

    def __init__(
        self,
        threshold: Value | None = None,
        normalize: str = 'auto',
        source: str = 'cams',
        **kwargs,
    ):
        super().__init__(**kwargs)
        if source not in ('cams', 'mask'):
            raise ValueError(f"source must be 'cams' or 'mask', got {source!r}")
        self.threshold, self.normalize, self.source = threshold, normalize, source

    def look(self, sample: dict) -> dict:
        if 'gt_context' not in sample or 'gt_sem_seg' not in sample:
            return {}
        by_mask = self.source == 'mask'
        seen = sample['pred_sem_seg']['data'][0] if by_mask else sample['cams'].float()
        truth, context = (
            sample[name]['data'][0].to(seen.device) for name in ('gt_sem_seg', 'gt_context')
        )
        companion = (context != 0) & (truth != IGNORE)
        num_classes = len(self.foreground_names()) if by_mask else len(seen)
        classes = torch.arange(1, num_classes + 1, device=seen.device)[:, None, None]
        smoke = truth == classes
        found = dict(shown=companion.any(), pixels=(companion & ~smoke).sum((1, 2)))
        mask = seen if by_mask else self._look_at_maps(sample, truth, companion, smoke, found)
        if mask is not None:
            found['confused'] = confusion_counts(mask, truth, companion, num_classes)
        return {name: value.cpu() for name, value in found.items()}

    def _look_at_maps(
        self, sample: dict, truth: Tensor, companion: Tensor, smoke: Tensor, found: dict
    ) -> Tensor | None:
        """Add what maps alone tell; return the mask that they give, if a threshold is known."""
        cams, evidence, valid = sample['cams'].float(), evidence_of(sample), truth != IGNORE
        whole = resize_maps(evidence[None], truth.shape)[0] * valid
        scores = cams_to_scores(cams, truth.shape, None, normalize_of(sample, self.normalize))
        found |= dict(
            there=smoke.flatten(1).any(1),
            energy=energy_share(whole, companion & ~smoke),
            pointing=points_at(scores * valid, smoke),
            activation=evidence.double().mean((1, 2)),
        )
        if self.threshold is None:
            return None
        called = (sample['pred_score'] > 0.5).to(scores)[:, None, None]
        return scores_to_mask(scores * called, in_order(self.threshold, self.foreground_names()))

    def compute(self, results: list[dict]) -> dict[str, float]:
        known = [result for result in results if 'shown' in result]
        if not known:
            return {}
        self.warn_of_scores(known, 'energy and response')
        names = known[0].keys() - {'image'}
        found = {name: torch.stack([one[name] for one in known]) for name in names}
        shown = found['shown']
        if not shown.any():
            return {}
        shown_alone = {name: values[shown] for name, values in found.items()}
        metrics = self._of_maps(shown_alone) if 'there' in found else {}
        if 'confused' in found:
            wrong, right = found['confused'].sum(0).double().unbind(-1)
            ratio = torch.where(right > 0, wrong / right, torch.nan)
            metrics |= self.per_class('confusion', 100 * ratio)
            pixels = found['pixels'].sum(0)
            metrics |= self.per_class('confused_pixels', 100 * wrong / pixels)
        return metrics

    def _of_maps(self, found: dict[str, Tensor]) -> dict[str, float]:
        there = found['there']

        def mean(values: Tensor, where: Tensor) -> Tensor:
            return torch.where(where, values.double(), torch.nan).nanmean(0)

        with_class = mean(found['activation'], there)
        with_class = torch.where(with_class > 0, with_class, torch.nan)
        return {
            **self.per_class('energy', 100 * mean(found['energy'], there)),
            **self.per_class('pointing', 100 * mean(found['pointing'], there)),
            **self.per_class('response', 100 * mean(found['activation'], ~there) / with_class),
        }
