import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from mmengine.config import Config
from mmengine.device import get_device
from torch import nn
from tqdm import tqdm

from mmsmoke.registry import INFERENCERS
from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.checkpoints import trusting
from mmsmoke.utils.process import cores
from mmsmoke.utils.threads import iterate_ahead, map_ahead
from mmsmoke.utils.thresholds import Value, check_threshold, in_order

from .batches import batches, same_sizes
from .finder import Finder
from .frames import Item, Video
from .inputs import Cut, Prepared, TestPipeline, find_images, warning_of_stretches
from .outputs import OnError, Prediction, check_names, readable, write_predictions
from .predictor import config_and_weights, load_model
from .tiles import Tiling, require_wide_enough
from .video import remove_video_results, smoothed, write_video
from .zones import Zones

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
        tile: side in pixels of the tiles that larger pictures are cut into. Each is prepared as if
            it were a picture of its own. By default every picture is looked at as a whole.
        overlap: what neighbouring tiles share at least, by default an eighth of a tile.
        zones: file of zones and ignored areas, as tools/label.py writes it: masks are empty outside
            of zones and within ignored areas, and shares are those of what is left. Which view it
            is, labels.csv says of pictures of a data set; others are of the view ``''``.

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
        tile: int | None = None,
        overlap: int | None = None,
        zones: str | os.PathLike | None = None,
    ):
        if threshold is not None:
            check_threshold(threshold)
        self.tiling = None if tile is None else Tiling(tile, overlap)
        if tile is None and overlap is not None:
            raise UserError('overlap is that of tiles: say tile, too')
        places = None if zones is None else Zones(zones)
        with trusting(trust):
            cfg, weights = config_and_weights(model, weights)
            network = load_model(cfg, weights, device or get_device())
        self.prepare = TestPipeline(cfg, self.tiling)
        self.classes, self.palette = self.prepare.classes, self.prepare.palette
        if threshold is not None:
            threshold = in_order(threshold, self.classes)
        self._finder = Finder(network, self.classes, threshold, refine, places)
        if self.tiling is not None:
            require_wide_enough(self.tiling.tile, self._finder, self.prepare)

    @property
    def model(self) -> nn.Module:
        return self._finder.model

    @property
    def threshold(self) -> float | list[float] | None:
        """Return that of the scores; None where a segmentor's strongest channel wins."""
        return self._finder.threshold

    @threshold.setter
    def threshold(self, value: float | list[float] | None) -> None:
        self._finder.threshold = value

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
                out_dir, found, self.columns(), self.palette, overlays, self._ahead(batch_size)
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
                out_dir, video, found, columns, self.palette, overlays, self._ahead(batch_size)
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
        for _, image in map_ahead(self._try_to_prepare, items, READERS, self._ahead(READERS)):
            if isinstance(image, DataError):
                yield DataError(str(image))  # the frames of the other keep pictures in memory
            else:
                yield self._predict([image], BATCH, with_scores)[0]

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
        kinds = ('share', 'probability') if self._finder.is_classifier else ('share',)
        numbers = [f'{kind}_{name}' for kind in kinds for name in self.classes]
        return [*(('video', 'frame', 'seconds') if in_video else ('image',)), *numbers]

    def _look_at_video(
        self, video: Video, smoothing: float, batch_size: int, with_scores: bool
    ) -> Iterator[tuple[np.ndarray, Prediction]]:
        if not 0 <= smoothing < 1:
            raise UserError(f'smoothing must be in [0, 1), got {smoothing}')
        frames = iterate_ahead(video.frames(), min(batch_size, self._ahead(batch_size)))
        found = self._look(frames, batch_size, with_scores or smoothing > 0)
        if not smoothing:
            return found
        found = smoothed(found, smoothing, self._finder.decide)
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
        tried = map_ahead(self._try_to_prepare, items, READERS, self._ahead(batch_size))
        prepared = warning_of_stretches(readable(tried, on_error, out_dir))
        return self._look_at_batches(prepared, batch_size, with_scores)

    def _look_at_batches(
        self, prepared: Iterator[Prepared | Cut], batch_size: int, with_scores: bool
    ) -> Iterator[tuple[np.ndarray, Prediction]]:
        for batch in batches(prepared, batch_size):
            found = {}
            for places in same_sizes(batch):
                images = [batch[place] for place in places]
                predictions = self._predict(images, batch_size, with_scores)
                found |= dict(zip(places, predictions, strict=True))
            for place, image in enumerate(batch):
                yield image.picture, found[place]

    def _predict(
        self, images: Sequence[Prepared | Cut], batch_size: int, with_scores: bool
    ) -> list[Prediction]:
        if not isinstance(images[0], Cut):
            return self._finder.look(images, with_scores)
        (image,) = images
        others = map_ahead(self.prepare, image.tiles[1:], READERS, batch_size)
        tiles = chain([image.first], others)
        return [self._finder.look_at_tiles(image, tiles, self.tiling, batch_size, with_scores)]

    def _ahead(self, batch_size: int) -> int:
        """Return how many pictures may wait; those that are cut are large."""
        return 2 * batch_size if self.tiling is None else 2

    def _try_to_prepare(self, item: Item) -> tuple[Item, Prepared | Cut | DataError]:
        """Hand an error over: raised in a thread, it would end what the others do."""
        try:
            return item, self.prepare(item)
        except DataError as error:
            return item, error


def _without_pictures(found: Iterable[tuple[np.ndarray, Prediction]]) -> Iterator[Prediction]:
    return (prediction for _, prediction in found)


def _with_bar(found: Iterable, total: int, unit: str, show: bool) -> list:
    return list(tqdm(found, total=total or None, unit=unit, disable=None if show else True))
