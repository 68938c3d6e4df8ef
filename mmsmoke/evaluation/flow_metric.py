from itertools import groupby, pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmsmoke.datasets.pictures import read_image
from mmsmoke.functional import (
    flow_difference,
    normalize_cams,
    optical_flow,
    resize_maps,
    seen_in_both,
)
from mmsmoke.registry import METRICS
from mmsmoke.utils.clips import clip_of

from .image_metric import ImageMetric, normalize_of


@METRICS.register_module()
class FlowMetric(ImageMetric):
    """Measure how well maps, or masks, agree from one frame of a clip to the next, in percent.

    The later map is fetched back along the optical flow, and only what is to be seen in both
    frames counts, see :mod:`mmsmoke.functional.flow`. Maps are normalised, then multiplied by the
    probability of their class.

    ================ ===========================================================================
    ``disagreement`` mean difference of both maps, over all visible pixels of all pairs; 0 is
                     best, and what maps without anything on them have
    ``overlap``      what both maps have in common, as a share of their mean: 100 if they are the
                     same, 0 if they have nothing in common; none if all are empty
    ``visible``      pixels that are to be seen in both frames
    ================ ===========================================================================

    Flow is unreliable on translucent smoke, so a perfect 100 is not to be had there. Frames follow
    each other as in labels.csv. Data without clips have no such numbers.

    Args:
        source: ``cams``, or ``mask`` (``pred_sem_seg``).
        normalize: see :class:`PseudoLabelMetric`.
        side: the flow is looked for in pictures whose longer side is at most so many pixels.
    """

    default_prefix = 'flow'

    def __init__(self, source: str = 'cams', normalize: str = 'auto', side: int = 256, **kwargs):
        super().__init__(**kwargs)
        if source not in ('cams', 'mask'):
            raise ValueError(f"source must be 'cams' or 'mask', got {source!r}")
        self.source, self.normalize, self.side = source, normalize, side

    def look(self, sample: dict) -> dict:
        clip = clip_of(sample.get('columns', {}))
        if clip is None:
            return {}
        maps = self._mask(sample) if self.source == 'mask' else self._maps(sample)
        return dict(clip=clip, row=sample['row'], path=sample['img_path'], maps=maps.half().cpu())

    def _maps(self, sample: dict) -> Tensor:
        maps = normalize_cams(sample['cams'].float(), normalize_of(sample, self.normalize))
        return maps * sample['pred_score'].to(maps)[:, None, None]

    def _mask(self, sample: dict) -> Tensor:
        mask = sample['pred_sem_seg']['data'][0]
        values = torch.arange(1, len(self.foreground_names()) + 1, device=mask.device)
        there = (mask == values[:, None, None]).float()
        return F.adaptive_avg_pool2d(there, self._size(*mask.shape))

    def _size(self, height: int, width: int) -> tuple[int, int]:
        scale = min(self.side / max(height, width), 1)
        return round(scale * height), round(scale * width)

    def compute(self, results: list[dict]) -> dict[str, float]:
        results = [result for result in results if 'clip' in result]
        results.sort(key=lambda result: (result['clip'], result['row']))
        sums = [
            self._compare(one, other)
            for _, clip in groupby(results, key=lambda result: result['clip'])
            for one, other in pairwise(clip)
        ]
        if not sums:
            return {}
        different, together, visible, pixels = map(sum, zip(*sums, strict=True))
        overlap = torch.where(together > 0, 1 - different / together, torch.nan)
        return {
            **self.per_class('disagreement', 100 * different / max(visible, 1)),
            **self.per_class('overlap', 100 * overlap),
            'visible': 100 * visible / pixels,
        }

    def _compare(self, one: dict, other: dict) -> tuple[Tensor, Tensor, int, int]:
        """Return, summed over pixels, difference and sum of both maps, the visible, and all."""
        first, second = (self._picture(result['path']) for result in (one, other))
        forward = torch.from_numpy(optical_flow(first, second))
        visible = seen_in_both(forward, torch.from_numpy(optical_flow(second, first)))
        size = first.shape[:2]
        before, after = (
            resize_maps(result['maps'].float()[None], size)[0].double() for result in (one, other)
        )
        difference, together = flow_difference(before, after, forward.double(), visible)
        return difference, together, int(visible.sum()), visible.numel()

    def _picture(self, path: str) -> np.ndarray:
        picture = read_image(path)
        height, width = self._size(*picture.shape[:2])
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
