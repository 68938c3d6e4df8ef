import math
import random
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmsmoke.registry import TRANSFORMS
from mmsmoke.utils import DataError, UserError, read_json

from ..pictures import read_image, read_scores
from ..table import choose_split, read_table


@TRANSFORMS.register_module()
class PlumeTransplant(BaseTransform):
    """Put a plume of one training image into another, or take an image's own plume away.

    A clear image, with or without what usually comes together with smoke, becomes a positive one;
    a positive image becomes a clear one in which all else is still there. So images that contradict
    a shortcut exist even where the data have none. Place it after LoadImage; classifiers of one
    class learn from it.

    Score maps on disk say what is a plume: a label run, such as one of the teacher, writes them
    (``tools/make_pseudo_labels.py … --scores 1 --threshold-from val``). A map that clings to
    chimneys moves chimneys: tools/analysis/transplant_sheet.py shows what is made of the images.

    Args:
        data_root, split: of the images whose plumes are moved.
        scores: folder of the score maps.
        prob: how often an image is changed; two numbers are for clear images and for those with
            smoke.
        certain: a plume that is pasted has a higher score than this; by default the threshold of
            the label run.
        possible: what is taken away has a higher score than this, and lies near; by default twice
            as far below 1 as ``certain``.
        scale: range of the pasted plume's size, in parts of its own.
        brightness: range of the factor of its colours.
        view: column that tells which images show the same place, of a camera that does not move.
            Plumes are then the difference to the median of the clear images of their place, so
            that those of places without any stay where they are, and what is taken away is
            replaced by a clear image of the place. Without a column it is replaced by any clear
            image, whose rows get the colours of the image's own.
    """

    def __init__(
        self,
        data_root: str,
        scores: str,
        split: str = 'train',
        prob: float | tuple[float, float] = 0.5,
        certain: float | None = None,
        possible: float | None = None,
        scale: tuple[float, float] = (0.6, 1.4),
        brightness: tuple[float, float] = (0.85, 1.15),
        view: str | None = None,
    ):
        self.root, self.scores, self.split = Path(data_root), Path(scores), split
        self.prob = (prob, prob) if isinstance(prob, int | float) else tuple(prob)
        if len(self.prob) != 2 or not all(0 <= one <= 1 for one in self.prob):
            raise UserError(f'prob is a number from 0 to 1, or two, got {prob}')
        self._certain, self._possible = certain, possible
        self.scale, self.brightness, self.view = scale, brightness, view

    @cached_property
    def levels(self) -> tuple[float, float]:
        """Return the scores above which a plume is pasted, and taken away."""
        certain, possible = self._certain, self._possible
        if certain is None:
            manifest = self.scores.parent / 'manifest.json'
            if not manifest.is_file():
                raise UserError(f'{manifest}, which tells the threshold, is missing: say certain=…')
            made = read_json(manifest)
            if len(made.get('classes', ())) > 2:  # the background is one of them
                raise UserError(
                    f'the maps of {manifest} are of several classes; plumes are cut out by maps of '
                    'smoke alone'
                )
            certain = made['protocol']['threshold']
            if certain == 0:
                raise UserError(
                    f'the threshold of {manifest} is 0, as where maps do not tell where smoke is: '
                    'plumes cannot be cut out by them'
                )
        if possible is None:
            possible = min(certain, max(0.1, 2 * certain - 1))
        if not 0 < possible <= certain < 1:
            raise UserError(f'0 < possible <= certain < 1, got {possible} and {certain}')
        return certain, possible

    @cached_property
    def rows(self) -> tuple[list, list]:
        """Return the rows with a plume, and those without."""
        rows, problems = read_table(self.root, ['smoke'])
        if problems:
            raise DataError(f'{self.root}: {problems[0]}')
        rows = choose_split(rows, self.split)
        if self.view and self.view not in rows[0].columns:
            raise DataError(f'{self.root}: labels.csv has no column {self.view!r}, the view')
        clear = [row for row in rows if not row.labels[0]]
        smoke = [row for row in rows if row.labels[0] and (self.scores / row.mask_name).is_file()]
        of_place = ''
        if self.view:
            places = {row.columns[self.view] for row in clear}
            smoke = [row for row in smoke if row.columns[self.view] in places]
            of_place = f', at a place with a clear image (column {self.view})'
        if not smoke:
            raise DataError(
                f'{self.scores} has no map of an image with smoke in {self.root}{of_place}'
            )
        return smoke, clear

    def transform(self, results: dict) -> dict:
        if len(results['gt_score']) != 1:
            raise DataError('PlumeTransplant is for data with one class')
        score = results['gt_score'][0]
        if random.random() >= self.prob[score > 0] or math.isnan(score):
            return results
        changed = self.without_plume(results) if score else self.with_plume(results)
        if changed is not None:
            results['img'] = changed
            results['gt_score'] = [1.0 - score]
            results['gt_label'] = [0] if results['gt_score'][0] else []
        return results

    def with_plume(self, results: dict) -> np.ndarray | None:
        """Return a clear image with another one's plume, or None if that has none."""
        row = random.choice(self.rows[0])
        image = self._image(row.image)
        plume = self.map_of(row.mask_name, image.shape[:2]) > self.levels[0]
        ys, xs = np.nonzero(plume)
        if not len(ys):
            return None
        box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
        target = results['img'].astype(np.float32)
        if self.view:
            moved = image.astype(np.float32) - self._median(row.columns[self.view], image.shape)
        else:
            moved = image.astype(np.float32)
        size = random.uniform(*self.scale)
        piece, alpha = _resized(moved[box], size), _resized(_feathered(plume)[box], size)
        bright = random.uniform(*self.brightness)
        piece, alpha, where = _placed(piece * bright, alpha, target.shape[:2])
        alpha = alpha[..., None]
        if self.view:
            target[where] += alpha * piece
        else:
            target[where] = (1 - alpha) * target[where] + alpha * piece
        return target.clip(0, 255).round().astype(np.uint8)

    def without_plume(self, results: dict) -> np.ndarray | None:
        """Return an image without its plume, or None if nothing says where it is."""
        image = results['img']
        if not (self.scores / results['mask_name']).is_file():
            return None
        plume = self.map_of(results['mask_name'], image.shape[:2]) > self.levels[1]
        if not plume.any() or plume.all():
            return None
        around = 2 * max(1, round(0.02 * max(image.shape[:2]))) + 1
        hole = cv2.dilate(plume.astype(np.uint8), np.ones((around, around), np.uint8))
        alpha = _feathered(hole > 0)[..., None]
        clear = self.rows[1]
        if self.view:
            same = results['columns'][self.view]
            clear = [row for row in clear if row.columns[self.view] == same]
        if not clear:
            return None
        behind = self._image(random.choice(clear).image)
        behind = cv2.resize(behind, image.shape[1::-1]).astype(np.float32)
        if not self.view:
            behind = _recoloured(behind, image, hole == 0)
        mixed = (1 - alpha) * image + alpha * behind
        return mixed.clip(0, 255).round().astype(np.uint8)

    def map_of(self, name: str, size: tuple[int, int]) -> np.ndarray:
        """Return the score map of an image at a size, in [0, 1]."""
        scores = read_scores(self.scores / name, 1)[0]
        return cv2.resize(scores, size[::-1], interpolation=cv2.INTER_LINEAR)

    def _image(self, name: str) -> np.ndarray:
        """Return an image in the order of colours that pipelines have, BGR."""
        return read_image(self.root / name)[..., ::-1]

    @lru_cache(maxsize=64)  # noqa: B019 (a few places, for as long as the pipeline lives)
    def _median(self, view: str, shape: tuple[int, ...]) -> np.ndarray:
        clear = [row for row in self.rows[1] if row.columns[self.view] == view][:32]
        frames = [cv2.resize(self._image(row.image), shape[1::-1]) for row in clear]
        return np.median(frames, axis=0).astype(np.float32)


def _feathered(region: np.ndarray) -> np.ndarray:
    """Return a float mask of a region whose edge is soft and lies inside it."""
    side = 2 * max(1, round(0.01 * max(region.shape))) + 1
    inner = cv2.erode(region.astype(np.uint8), np.ones((side, side), np.uint8))
    soft = cv2.GaussianBlur(inner.astype(np.float32), (side, side), 0)
    return soft if inner.any() else region.astype(np.float32)


def _resized(picture: np.ndarray, factor: float) -> np.ndarray:
    size = [max(1, round(side * factor)) for side in picture.shape[1::-1]]
    return cv2.resize(
        picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    )


def _placed(
    piece: np.ndarray, alpha: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, tuple[slice, slice]]:
    """Return what of a piece fits, and where: its middle lies anywhere in the picture."""
    cut, where = [], []
    for side, whole in zip(alpha.shape, size, strict=True):
        first = random.randrange(whole) - side // 2
        cut.append(slice(max(0, -first), min(side, whole - first)))
        where.append(slice(max(0, first), min(whole, first + side)))
    return piece[cut[0], cut[1]], alpha[cut[0], cut[1]], (where[0], where[1])


def _recoloured(picture: np.ndarray, like: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give every row of a picture the median colour that another one's known pixels have there.

    A sky changes from top to bottom; what stands in it, such as a chimney, hardly moves a median.
    """
    rows = np.flatnonzero(known.mean(1) > 0.1)
    if not len(rows):
        return picture
    ours = np.stack([np.median(like[row, known[row]], axis=0) for row in rows])
    shift = ours - np.median(picture[rows], axis=1)
    at = np.arange(len(picture))
    shift = np.stack([np.interp(at, rows, channel) for channel in shift.T], -1)
    return picture + cv2.blur(shift, (1, 2 * (len(picture) // 50) + 1))[:, None]
