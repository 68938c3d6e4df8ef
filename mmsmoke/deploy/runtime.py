"""Run exported segmentors on pictures of any size, whole or in tiles."""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional import resize_maps
from mmsmoke.inference.inputs import checked_picture
from mmsmoke.inference.tiles import Tiling
from mmsmoke.utils import UserError, read_json, sha256_of_file

from .export import ABOUT
from .formats import FORMATS, require_packages
from .parity import decide


class ExportedSegmentor:
    """Find smoke in pictures with a file that :func:`~mmsmoke.deploy.export.export_segmentor` made.

    Pictures and tiles are stretched to the size of the file, as by ``mmcv.Resize`` without
    ``keep_ratio``, and their scores back.

    Args:
        folder: with segmenter.json.
        tile, overlap: as of :class:`~mmsmoke.inference.inferencer.SmokeInferencer`.
        format: ``onnx`` or ``torchscript``; by default the first that is there.
        batch_size: how many tiles are looked at at a time; a file may have a fixed one.

    Example:
        >>> segmentor = ExportedSegmentor('deploy', tile=512)  # doctest: +SKIP
        >>> scores = segmentor.scores(cv2.imread('photo.jpg'))  # doctest: +SKIP
        >>> mask = segmentor.decide(scores)  # doctest: +SKIP
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        tile: int | None = None,
        overlap: int | None = None,
        format: str | None = None,
        batch_size: int = 8,
    ):
        if tile is None and overlap is not None:
            raise UserError('overlap is that of tiles: say tile, too')
        if batch_size < 1:
            raise UserError(f'batch_size must be at least 1, got {batch_size}')
        self.tiling = None if tile is None else Tiling(tile, overlap)
        self.about = about = _description(Path(folder) / ABOUT)
        names = [name for name in ('onnx', 'torchscript') if name in about['files']]
        format = format or names[0]
        if format not in names:
            raise UserError(f'{folder} has no file of {format}, but {" and ".join(names)}')
        require_packages([format])
        file, sha256 = (about['files'][format][key] for key in ('file', 'sha256'))
        path = Path(folder) / file
        if not path.is_file() or sha256_of_file(path) != sha256:
            raise UserError(f'{path} is not the file that {ABOUT} describes: export it again')
        self._run = FORMATS[format].read(path)
        fixed = about['input']['shape'][0]
        self._fixed = fixed if isinstance(fixed, int) else None
        self.batch_size = self._fixed or batch_size

    def scores(self, picture: np.ndarray) -> Tensor:
        """Return float32 [K, H, W] in [0, 1] of a picture, uint8 [H, W, 3] BGR."""
        checked_picture(picture)
        if self.tiling is None or not self.tiling.cuts(picture):
            (scores,) = self._look([picture])
            return scores
        return self.tiling.merge(self._look_at_tiles(picture), picture)

    def decide(self, scores: Tensor) -> Tensor:
        """Return the label map uint8 [H, W] of scores [K, H, W]."""
        return decide(scores[None], self.about['threshold'])[0].byte()

    def _look_at_tiles(self, picture: np.ndarray) -> Iterator[Tensor]:
        tiles = self.tiling.tiles_of(picture)
        while batch := list(islice(tiles, self.batch_size)):
            yield from self._look(batch)

    def _look(self, pictures: list[np.ndarray]) -> Tensor:
        """Return scores [N, K, H, W] of pictures of one size, up to as many as a batch holds."""
        height, width = self.about['size']
        shown = np.stack([cv2.resize(one, (width, height))[..., ::-1] for one in pictures])
        images = torch.from_numpy(shown.transpose(0, 3, 1, 2).copy())
        if self._fixed:
            missing = images.new_zeros(self._fixed - len(images), *images.shape[1:])
            images = torch.cat([images, missing])
        scores = self._run(images)[: len(pictures)]
        return resize_maps(scores, pictures[0].shape[:2])


def _description(file: Path) -> dict:
    """Read what an export says of itself."""
    about = read_json(file)
    keys = {'files', 'input', 'size', 'threshold'}
    if not isinstance(about, Mapping) or not keys <= {*about} or not about['files']:
        raise UserError(f'{file} does not describe an export; export it again')
    return about
