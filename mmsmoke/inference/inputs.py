"""Find what a model can be given, in files, folders and arrays, and prepare it as test data."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import LoadAnnotations, LoadImageFromFile, TestTimeAug
from mmengine.config import Config
from mmengine.registry import DATASETS

from mmsmoke.datasets.pictures import make_palette, reason_of
from mmsmoke.datasets.table import IMAGES
from mmsmoke.datasets.transforms import LoadContext, LoadMask
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import DataError, UserError

from .frames import VIDEOS, Item, is_video
from .predictor import scope_of
from .tiles import Tiling

STRETCHED = 4
"""How many times a pipeline may change a picture's proportions before there is a warning."""


@dataclass(frozen=True)
class Prepared:
    """Hold an item as the model wants it.

    Args:
        picture: uint8 [H, W, 3] BGR, as loaded.
        inputs: [3, h, w], after the model's own test pipeline.
        stretch: by how much that has changed the picture's proportions; 1 where it kept them.
    """

    item: Item
    picture: np.ndarray
    inputs: torch.Tensor
    sample: WeakSegDataSample
    stretch: float


@dataclass(frozen=True)
class Cut:
    """Hold a picture that is looked at in tiles.

    Args:
        picture: uint8 [H, W, 3] BGR, as loaded.
        tiles: parts of it, in the order of :func:`~mmsmoke.functional.tile_boxes`.
        first: the first of them, prepared; all have its size.
    """

    item: Item
    picture: np.ndarray
    tiles: Sequence[Item]
    first: Prepared

    @property
    def stretch(self) -> float:
        return self.first.stretch


def find_images(inputs, out_dir: str | os.PathLike | None = None) -> list[Item]:
    """Return the images that a user names.

    Args:
        inputs: a file, a folder (with all folders below it, sorted), an array uint8 [H, W, 3] in
            the order BGR, several of them [N, H, W, 3], or a list of such things.
        out_dir: what an earlier run has left there is no input.

    Videos in a folder are not looked at, with a warning.
    """
    items = []
    for source in _each(inputs):
        if isinstance(source, np.ndarray):
            arrays = sum(isinstance(item.source, np.ndarray) for item in items)
            items.append(Item(f'array_{arrays}', checked_picture(source)))
        elif Path(source).is_dir():
            items += _in_folder(Path(source), out_dir)
        else:
            items.append(Item(Path(source).name, _image_file(Path(source), out_dir)))
    if not items:
        raise UserError('no images given')
    return items


def _each(inputs) -> Iterable:
    if isinstance(inputs, np.ndarray):
        return list(inputs) if inputs.ndim == 4 else [inputs]
    return [inputs] if isinstance(inputs, str | os.PathLike) else inputs


def checked_picture(array: np.ndarray) -> np.ndarray:
    """Return an array, if it is a picture as OpenCV reads them."""
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise UserError(
            f'an image must be uint8 [H, W, 3] in the order BGR, '
            f'got {array.dtype} {list(array.shape)}'
        )
    return array


def _image_file(path: Path, out_dir: str | os.PathLike | None) -> Path:
    if not path.is_file():
        raise UserError(f'{path} not found')
    if is_video(path):
        raise UserError(f'{path} is a video; SmokeInferencer.video takes it')
    if path.suffix.lower() not in IMAGES:
        raise UserError(
            f'{path} is no image: its name ends in none of {", ".join(IMAGES)}; '
            'neither is it a video'
        )
    if _is_result(path, out_dir):
        raise UserError(f'{path} is itself a result, which would be overwritten')
    return path


def _in_folder(folder: Path, out_dir: str | os.PathLike | None) -> list[Item]:
    files = [
        path
        for path in sorted(folder.rglob('*'))
        if path.suffix.lower() in IMAGES + VIDEOS
        and not path.name.startswith('.')
        and not path.is_dir()
        and not _is_result(path, out_dir)
    ]
    videos = [path for path in files if is_video(path)]
    found = [
        Item(path.relative_to(folder).as_posix(), path)
        for path in files
        if path.suffix.lower() in IMAGES
    ]
    if videos:
        message = f'{videos[0]} is a video in a folder, which is not looked at; name it itself'
        more = f' ({len(videos)} such in all)' if len(videos) > 1 else ''
        warnings.warn(message + more, stacklevel=2)
    if not found:
        raise UserError(f'no images found in {folder}')
    return found


def _is_result(path: Path, out_dir: str | os.PathLike | None) -> bool:
    """Return whether a file is what an earlier run has left in ``out_dir``."""
    folders = ('masks', 'overlays') if path.suffix.lower() in IMAGES else ('videos',)
    return out_dir is not None and any(
        Path(os.path.abspath(path)).is_relative_to(os.path.abspath(Path(out_dir, folder)))
        for folder in folders
    )


class TestPipeline:
    """Prepare images as a model's test data, without masks and labels; name its classes.

    Args:
        tiling: how larger pictures are cut; each is prepared as a whole by default.

    Attributes:
        classes: names of the K foreground classes.
        palette: RGB of each mask value, background first.
    """

    __test__ = False  # pytest takes the name for a test's

    def __init__(self, cfg: Config, tiling: Tiling | None = None):
        self.tiling = tiling
        node = (cfg.get('test_dataloader') or {}).get('dataset')
        while node and ('dataset' in node or 'datasets' in node):
            node = node['dataset'] if 'dataset' in node else node['datasets'][0]
        if not node:
            raise UserError('the config has no test_dataloader, which says how to prepare images')
        with scope_of(cfg):
            dataset = DATASETS.build({**node, 'lazy_init': True})
        load, *steps = dataset.pipeline.transforms
        if not isinstance(load, LoadImageFromFile) or any(_is(steps, TestTimeAug)):
            raise UserError('the test pipeline must load an image and make one view of it')
        self.load = load
        answers = _is(steps, (LoadAnnotations, LoadMask, LoadContext))
        self.steps = [step for step, no in zip(steps, answers, strict=True) if not no]
        self.stretches = any(getattr(step, 'keep_ratio', None) is False for step in self.steps)
        names = dataset.metainfo.get('classes')
        if names is None:
            raise UserError('the test data set of the config does not name its classes')
        self.classes = tuple(names[1:])
        self.palette = dataset.metainfo.get('palette') or make_palette(len(names))

    def __call__(self, item: Item) -> Prepared | Cut:
        results = self._loaded(item)
        picture = results['img'].astype(np.uint8, copy=False)
        if self.tiling is not None and self.tiling.cuts(picture):
            tiles = [replace(item, source=tile) for tile in self.tiling.tiles_of(picture)]
            return Cut(item, picture, tiles, self(tiles[0]))
        name = item.name if isinstance(item.source, np.ndarray) else item.source
        size = f'{picture.shape[1]} x {picture.shape[0]}'
        for step in self.steps:
            how = f'image of {size} cannot be prepared by {type(step).__name__}'
            with _as_data_error(f'{name}: {how}'):
                results = step(results)
        # no labels, and of our kind whatever the pipeline packs
        sample = WeakSegDataSample(metainfo=results['data_samples'].metainfo)
        stretch = _stretch(picture.shape, results['inputs'].shape[1:]) if self.stretches else 1.0
        return Prepared(item, picture, results['inputs'], sample, stretch)

    def _loaded(self, item: Item) -> dict:
        results = dict(seg_fields=[], reduce_zero_label=False)
        if isinstance(item.source, np.ndarray):
            image = item.source.astype(np.float32) if self.load.to_float32 else item.source
            size = image.shape[:2]
            return dict(results, img=image, img_shape=size, ori_shape=size)
        with _as_data_error(f'{item.source}: image cannot be read'):
            return self.load(dict(results, img_path=str(item.source)))


@contextmanager
def _as_data_error(what: str) -> Iterator[None]:
    """Turn whatever goes wrong into an error that says what could not be done."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise DataError(f'{what}: {reason_of(error)}') from error


def warning_of_stretches(images: Iterable[Prepared | Cut]) -> Iterator[Prepared | Cut]:
    """Pass images on; warn once, after the last."""
    stretched = []
    for image in images:
        if image.stretch > STRETCHED:
            height, width = image.picture.shape[:2]
            stretched.append(f'{image.item.name} ({width} x {height})')
        yield image
    if stretched:
        warnings.warn(
            f"{stretched[0]} is stretched by more than {STRETCHED}:1 by the model's test pipeline "
            f'({len(stretched)} such in all); what is found there means little',
            stacklevel=2,
        )


def _stretch(before: Sequence[int], after: Sequence[int]) -> float:
    """Return how many times as much a picture was shrunk along one side as along the other."""
    ratio = before[1] / before[0] * after[0] / after[1]
    return max(ratio, 1 / ratio)


def _is(steps: Sequence, kinds) -> list[bool]:
    return [isinstance(step, kinds) for step in steps]
