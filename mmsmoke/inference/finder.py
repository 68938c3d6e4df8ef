"""Find smoke in pictures that are prepared, by a model and what improves its scores."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from mmengine.structures import PixelData
from torch import Tensor, nn

from mmsmoke.engine.hooks.pseudo_label_hook import THRESHOLD
from mmsmoke.functional import resize_maps, scores_to_mask, strongest
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError
from mmsmoke.utils.models import segmentor_threshold

from .frames import Item
from .inputs import Cut, Prepared
from .outputs import Prediction, by_name, shares_of
from .tiles import Tiling
from .zones import Zones


class Finder:
    """Find smoke in prepared pictures; it reads no file and writes none.

    Args:
        model: a trained segmentor or CAM classifier.
        classes: names of the K foreground classes.
        threshold, refine: as of :class:`~mmsmoke.inference.inferencer.SmokeInferencer`; those of
            several classes in their order.
        zones: where smoke is looked for; everywhere by default.
    """

    def __init__(
        self,
        model: nn.Module,
        classes: Sequence[str],
        threshold: float | Sequence[float] | None = None,
        refine: Sequence = (),
        zones: Zones | None = None,
    ):
        self.model, self.classes, self.zones = model, classes, zones
        self.refiners = _ready_refiners(refine, classes)
        self.threshold = self._own_threshold() if threshold is None else threshold
        if self.refiners and self.threshold is None:
            self.threshold = 0.5

    @property
    def is_classifier(self) -> bool:
        return hasattr(self.model, 'cam_normalize')

    def _own_threshold(self) -> float | None:
        """Return what the model's masks are made with; None where the strongest channel wins."""
        return THRESHOLD if self.is_classifier else segmentor_threshold(self.model)

    @torch.no_grad()
    def test(self, batch: Sequence[Prepared]) -> list[WeakSegDataSample]:
        """Return what the model says to pictures of one size."""
        data = dict(
            inputs=[image.inputs for image in batch], data_samples=[image.sample for image in batch]
        )
        return self.model.test_step(data)

    @torch.no_grad()
    def look(self, batch: Sequence[Prepared], with_scores: bool) -> list[Prediction]:
        """Return what is found in pictures of one size."""
        samples = self.test(batch)
        if with_scores or self.threshold is not None:
            for sample in samples:
                self._localize(sample)
            self._refine(batch, samples)
        return [
            self._prediction(image.item, sample, with_scores)
            for image, sample in zip(batch, samples, strict=True)
        ]

    @torch.no_grad()
    def look_at_tiles(
        self,
        image: Cut,
        tiles: Iterator[Prepared],
        tiling: Tiling,
        batch_size: int,
        with_scores: bool,
    ) -> Prediction:
        """Return what is found in a picture, of which ``batch_size`` tiles are taken at a time.

        Scores of a segmentor are merged, and a classifier's evidence, which is normalised then over
        the whole picture. A class is as probable as in the tile where it is most probable.
        """
        sample = WeakSegDataSample(metainfo=dict(ori_shape=image.picture.shape[:2]))
        probabilities, normalize = [], None

        def maps() -> Iterator[Tensor]:
            nonlocal normalize
            while batch := list(islice(tiles, batch_size)):
                for found in self.test(batch):
                    if 'cams' in found:
                        normalize = _require_evidence(found)
                        probabilities.append(found.pred_scores)
                        yield resize_maps(found.cams[None].float(), found.ori_shape)[0]
                    else:
                        self._localize(found)
                        yield found.seg_scores

        merged = tiling.merge(maps(), image.picture)
        if probabilities:
            sample.cams = merged
            sample.set_pred_score(torch.stack(probabilities).amax(0))
            sample.localize(normalize)
        else:
            sample.seg_scores = merged
            if self.threshold is None:
                sample.pred_sem_seg = PixelData(data=strongest(merged)[None])
        self._refine([image], [sample])
        return self._prediction(image.item, sample, with_scores)

    def decide(self, prediction: Prediction) -> Prediction:
        """Give a frame the mask and shares of its scores, as the model or threshold would."""
        scores, threshold = torch.from_numpy(prediction.scores), self.threshold
        mask = strongest(scores) if threshold is None else scores_to_mask(scores, threshold)
        mask, shares = self._in_zones(mask.to(torch.uint8).numpy(), None)
        return replace(prediction, mask=mask, shares=shares)

    def _in_zones(self, mask: np.ndarray, item: Item | None) -> tuple[np.ndarray, dict[str, float]]:
        """Clear a mask where smoke is not looked for; return it and the shares of what is left."""
        if self.zones is None:
            return mask, shares_of(mask, self.classes)
        area = self.zones.area(item, *mask.shape)
        mask = mask * area
        return mask, shares_of(mask, self.classes, area)

    def _localize(self, sample: WeakSegDataSample) -> None:
        if 'cams' not in sample and 'seg_logits' not in sample:
            raise UserError(f'{type(self.model).__name__} gives no scores')
        sample.localize()

    def _refine(
        self, batch: Sequence[Prepared | Cut], samples: Sequence[WeakSegDataSample]
    ) -> None:
        """Improve the scores of the samples of a batch."""
        if not self.refiners:
            return
        from mmsmoke.models.refiners import refine_all

        for refiner in self.refiners:
            images = [_shown_to(refiner, image) for image in batch]
            scores = [sample.seg_scores for sample in samples]
            # a segmentor that has no label to go by leaves all classes possible
            present = [
                sample.present() if 'cams' in sample else scores.new_ones(len(scores)).bool()
                for sample, scores in zip(samples, scores, strict=True)
            ]
            refined = refine_all(refiner, images, scores, present)
            for sample, one in zip(samples, refined, strict=True):
                sample.seg_scores = one

    def _prediction(self, item: Item, sample, with_scores: bool) -> Prediction:
        scores = sample.get('seg_scores')
        if self.threshold is not None:
            mask = scores_to_mask(scores, self.threshold)
        elif 'pred_sem_seg' in sample:
            mask = sample.pred_sem_seg.data[0].to(torch.uint8)
        else:
            raise UserError(f'{type(self.model).__name__} gives neither maps nor masks')
        mask, shares = self._in_zones(mask.cpu().numpy(), item)
        probabilities = None
        if 'cams' in sample:
            probabilities = by_name(self.classes, sample.pred_scores.tolist())
        return Prediction(
            image=item.name,
            shares=shares,
            probabilities=probabilities,
            mask=mask,
            scores=scores.cpu().numpy() if with_scores else None,
            frame=item.frame,
            seconds=item.seconds,
        )


def _require_evidence(sample: WeakSegDataSample) -> str:
    """Return how a tile's evidence is to be normalised; raise where it has been already."""
    normalize = sample.get('cam_normalize', 'minmax')
    if normalize == 'none':
        raise UserError(
            'this classifier normalises the maps of every picture that it is shown, so those of '
            'tiles cannot be compared; read maps out of one layer and one view, or leave tile out'
        )
    return normalize


def _shown_to(refiner, image: Prepared | Cut) -> np.ndarray:
    """Return uint8 [H, W, 3] RGB: what the model was shown or, of tiles, the picture itself."""
    if getattr(refiner, 'sees_input', False) and isinstance(image, Prepared):
        return np.ascontiguousarray(image.inputs.flip(0).permute(1, 2, 0).numpy())
    return np.ascontiguousarray(image.picture[..., ::-1])


def _ready_refiners(refine: Sequence, classes: Sequence[str]) -> list:
    if not refine:
        return []
    from mmsmoke.models.refiners import build_refiner

    refiners = [build_refiner(one) for one in refine]
    for refiner in refiners:
        if hasattr(refiner, 'start'):
            refiner.start(classes)
    return refiners
