import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from tqdm import tqdm

from mmsmoke.engine.hooks.pseudo_label_hook import THRESHOLD
from mmsmoke.functional import scores_to_mask, strongest
from mmsmoke.registry import INFERENCERS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.checkpoints import trusting
from mmsmoke.utils.models import segmentor_threshold
from mmsmoke.utils.process import cores
from mmsmoke.utils.threads import iterate_ahead, map_ahead
from mmsmoke.utils.thresholds import Value, check_threshold, in_order

from .inputs import Item, Prepared, TestPipeline, find_images, warning_of_stretches
from .outputs import (
    OnError,
    Prediction,
    by_name,
    check_names,
    readable,
    shares_of,
    write_predictions,
)
from .predictor import config_and_weights, load_model
from .video import Video, remove_video_results, smoothed, write_video

READERS = min(4, cores())
BATCH = 8


@INFERENCERS.register_module()
class SmokeInferencer:
    """Find smoke in images and videos, with a trained segmentor or CAM classifier.

    Images are prepared as the config prepares those it tests on. Files are read and written by
    threads while the model works. No label is known here: a classifier's mask holds the classes
    that it predicts itself, at a probability above 0.5.

    Args:
        model: config file, config, or a checkpoint that holds its config, as those of a training
            do.
        weights: checkpoint; by default ``model``, if that is one.
        device: as torch names it; by default the accelerator, if there is one.
        threshold: a pixel belongs to its best class if that scores higher; a dict has that of each
            class by its name, see :func:`~mmsmoke.functional.scores_to_mask`. Scores are a
            segmentor's probabilities, or the normalised maps of a classifier. By default a
            segmentor decides by itself, and for a classifier it is that of pseudo labels, 0.3.
        trust: let the checkpoint run code that it holds; see docs/trust.md.
        refine: what improves the scores before they become a mask, one after the other, as
            ``crf:translucent``; see :func:`~mmsmoke.models.build_refiner`. The refiners of a label
            run are not applied by themselves. A segmentor's threshold is 0.5 then.

    Attributes:
        classes: names of the K foreground classes.

    Example:
        >>> inferencer = SmokeInferencer('best.pth')  # doctest: +SKIP
        >>> inferencer('photos/', out_dir='out')[0].shares  # doctest: +SKIP
        {'smoke': 3.1}
    """

    def __init__(
        self,
        model: str | os.PathLike | Config,
        weights: str | os.PathLike | None = None,
        device: str | None = None,
        threshold: Value | None = None,
        trust: bool = False,
        refine: Sequence = (),
    ):
        if threshold is not None:
            check_threshold(threshold)
        with trusting(trust):
            cfg, weights = config_and_weights(model, weights)
            self.model = load_model(cfg, weights, device or get_device())
        self.prepare = TestPipeline(cfg)
        self.classes, self.palette = self.prepare.classes, self.prepare.palette
        self.refiners = _ready_refiners(refine, self.classes)
        if threshold is None:
            self.threshold = _own_threshold(self.model)
        else:
            self.threshold = in_order(threshold, self.classes)
        if self.refiners and self.threshold is None:
            self.threshold = 0.5

    def __call__(
        self,
        inputs,
        out_dir: str | os.PathLike | None = None,
        batch_size: int = BATCH,
        overlays: bool = True,
        return_scores: bool = False,
        show_progress: bool = True,
        on_error: OnError | None = None,
    ) -> list[Prediction]:
        """Look at images.

        Args:
            inputs: as for :func:`~mmsmoke.inference.inputs.find_images`.
            out_dir: where to write ``masks/``, ``overlays/`` and ``areas.csv``: a new folder, or
                that of an earlier run. The predictions returned then hold numbers only, so that a
                large folder fits into memory.
            overlays: write pictures with their masks, too.
            return_scores: predictions hold score maps; without ``out_dir`` only.
            show_progress: a bar on standard error, if that is a terminal.
            on_error: takes the error of each image that cannot be read, in their order, such as
                ``errors.append``; that image is left out. By default the first ends the call.
        """
        items = find_images(inputs, out_dir)
        found = self._look(items, batch_size, return_scores, on_error, out_dir)
        if out_dir is None:
            found = _without_pictures(found)
        else:
            check_names(items, out_dir)
            found = write_predictions(
                out_dir, found, self.columns(), self.palette, overlays, 2 * batch_size
            )
        return _with_bar(found, len(items), 'img', show_progress)

    def video(
        self,
        path: str | os.PathLike,
        out_dir: str | os.PathLike | None = None,
        every: int = 1,
        smoothing: float = 0.0,
        batch_size: int = BATCH,
        overlays: bool = True,
        return_scores: bool = False,
        show_progress: bool = True,
    ) -> list[Prediction]:
        """Look at a video.

        Args:
            out_dir: where to write ``videos/NAME.csv`` and ``videos/NAME.mp4``, the frames looked
                at with their masks, in as many seconds as the original. The predictions returned
                then hold numbers only.
            every: process every N-th frame, from the first on.
            smoothing: what share of a score map is that of the frames before, in [0, 1); 0 looks at
                each frame by itself.
            overlays: write the annotated video, too.
        """
        try:
            video = Video(path, every)
        except DataError:
            if out_dir is not None:
                remove_video_results(out_dir, path)
            raise
        found = self._look_at_video(video, smoothing, batch_size, return_scores)
        if out_dir is None:
            found = _without_pictures(found)
        else:
            columns = self.columns(in_video=True)
            found = write_video(
                out_dir, video, found, columns, self.palette, overlays, 2 * batch_size
            )
        return _with_bar(found, video.total, 'frame', show_progress)

    def stream(
        self,
        inputs,
        batch_size: int = BATCH,
        return_scores: bool = False,
        on_error: OnError | None = None,
    ) -> Iterator[Prediction]:
        """Yield predictions with masks; the images are named before the first."""
        items = find_images(inputs)
        return _without_pictures(self._look(items, batch_size, return_scores, on_error))

    def one_by_one(
        self, items: Iterable[Item], with_scores: bool = False
    ) -> Iterator[Prediction | DataError]:
        """Yield what is found in each item, predicted alone, or why it cannot be read."""
        for _, image in map_ahead(self._try_to_prepare, items, READERS, 2 * READERS):
            if isinstance(image, DataError):
                yield DataError(str(image))  # the frames of the other keep pictures in memory
            else:
                yield self._predict([image], with_scores)[0]

    def stream_video(
        self,
        path: str | os.PathLike,
        every: int = 1,
        smoothing: float = 0.0,
        batch_size: int = BATCH,
        return_scores: bool = False,
    ) -> Iterator[Prediction]:
        """Yield predictions of the frames of a video."""
        found = self._look_at_video(Video(path, every), smoothing, batch_size, return_scores)
        return _without_pictures(found)

    def columns(self, in_video: bool = False) -> list[str]:
        """Return the columns of the table of areas."""
        kinds = ('share', 'probability') if _is_classifier(self.model) else ('share',)
        numbers = [f'{kind}_{name}' for kind in kinds for name in self.classes]
        return [*(('video', 'frame', 'seconds') if in_video else ('image',)), *numbers]

    def _look_at_video(
        self, video: Video, smoothing: float, batch_size: int, with_scores: bool
    ) -> Iterator[tuple[np.ndarray, Prediction]]:
        if not 0 <= smoothing < 1:
            raise UserError(f'smoothing must be in [0, 1), got {smoothing}')
        frames = iterate_ahead(video.frames(), batch_size)
        found = self._look(frames, batch_size, with_scores or smoothing > 0)
        if not smoothing:
            return found
        found = smoothed(found, smoothing, self._decide)
        if with_scores:
            return found
        return ((picture, replace(one, scores=None)) for picture, one in found)

    def _look(
        self,
        items: Iterable[Item],
        batch_size: int,
        with_scores: bool,
        on_error: OnError | None = None,
        out_dir: str | os.PathLike | None = None,
    ) -> Iterator[tuple[np.ndarray, Prediction]]:
        """Yield pictures as they were loaded, and what was found in them."""
        if batch_size < 1:
            raise UserError(f'batch_size must be at least 1, got {batch_size}')
        tried = map_ahead(self._try_to_prepare, items, READERS, 2 * batch_size)
        prepared = warning_of_stretches(readable(tried, on_error, out_dir))
        return self._look_at_batches(prepared, batch_size, with_scores)

    def _look_at_batches(
        self, prepared: Iterator[Prepared], batch_size: int, with_scores: bool
    ) -> Iterator[tuple[np.ndarray, Prediction]]:
        while batch := list(islice(prepared, batch_size)):
            found = {}
            for places in _same_sizes(batch):
                predictions = self._predict([batch[place] for place in places], with_scores)
                found |= dict(zip(places, predictions, strict=True))
            for place, image in enumerate(batch):
                yield image.picture, found[place]

    def _try_to_prepare(self, item: Item) -> tuple[Item, Prepared | DataError]:
        """Hand an error over: raised in a thread, it would end what the others do."""
        try:
            return item, self.prepare(item)
        except DataError as error:
            return item, error

    @torch.no_grad()
    def _predict(self, batch: list[Prepared], with_scores: bool) -> list[Prediction]:
        data = dict(
            inputs=[image.inputs for image in batch], data_samples=[image.sample for image in batch]
        )
        samples = self.model.test_step(data)
        if with_scores or self.threshold is not None:
            self._localize(batch, samples)
        return [
            self._prediction(image.item, sample, with_scores)
            for image, sample in zip(batch, samples, strict=True)
        ]

    def _localize(self, batch: list[Prepared], samples: list[WeakSegDataSample]) -> None:
        """Give the samples of a batch their scores, refined."""
        for sample in samples:
            if 'cams' not in sample and 'seg_logits' not in sample:
                raise UserError(f'{type(self.model).__name__} gives no scores')
            sample.localize()
        if not self.refiners:
            return
        from mmsmoke.models.refiners import refine_all

        for refiner in self.refiners:
            if getattr(refiner, 'sees_input', False):
                images = [image.inputs.flip(0).permute(1, 2, 0).numpy() for image in batch]
            else:
                images = [image.picture[..., ::-1] for image in batch]
            scores = [sample.seg_scores for sample in samples]
            # a segmentor that has no label to go by leaves all classes possible
            present = [
                sample.present() if 'cams' in sample else scores.new_ones(len(scores)).bool()
                for sample, scores in zip(samples, scores, strict=True)
            ]
            images = [np.ascontiguousarray(image) for image in images]
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
        mask = mask.cpu().numpy()
        probabilities = None
        if 'cams' in sample:
            probabilities = by_name(self.classes, sample.pred_scores.tolist())
        return Prediction(
            image=item.name,
            shares=shares_of(mask, self.classes),
            probabilities=probabilities,
            mask=mask,
            scores=scores.cpu().numpy() if with_scores else None,
            frame=item.frame,
            seconds=item.seconds,
        )

    def _decide(self, prediction: Prediction) -> Prediction:
        """Give mask and shares by the scores, as the model or the threshold would have it."""
        scores, threshold = torch.from_numpy(prediction.scores), self.threshold
        mask = strongest(scores) if threshold is None else scores_to_mask(scores, threshold)
        mask = mask.to(torch.uint8).numpy()
        return replace(prediction, mask=mask, shares=shares_of(mask, self.classes))


def _ready_refiners(refine: Sequence, classes: Sequence[str]) -> list:
    if not refine:
        return []
    from mmsmoke.models.refiners import build_refiner

    refiners = [build_refiner(one) for one in refine]
    for refiner in refiners:
        if hasattr(refiner, 'start'):
            refiner.start(classes)
    return refiners


def _is_classifier(model) -> bool:
    return hasattr(model, 'cam_normalize')


def _own_threshold(model) -> float | None:
    """Return what a model's masks are made with; None where the strongest channel wins."""
    if _is_classifier(model):
        return THRESHOLD
    return segmentor_threshold(model)


def _same_sizes(batch: Sequence[Prepared]) -> list[list[int]]:
    """Return which of a batch can be stacked; padding would change what a model sees.

    Mmseg complains of images that were of several sizes before the pipeline made them one.
    """
    places = {}
    for place, image in enumerate(batch):
        sizes = image.inputs.shape, image.sample.ori_shape
        places.setdefault(sizes, []).append(place)
    return list(places.values())


def _without_pictures(found: Iterable[tuple[np.ndarray, Prediction]]) -> Iterator[Prediction]:
    return (prediction for _, prediction in found)


def _with_bar(found: Iterable, total: int, unit: str, show: bool) -> list:
    return list(tqdm(found, total=total or None, unit=unit, disable=None if show else True))
