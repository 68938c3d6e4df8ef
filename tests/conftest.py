"""Fixtures for all tests: a small data set on disk, and the command-line tools as modules."""

import csv
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from PIL import Image

ROOT = Path(__file__).parents[1]
SPLITS = dict(train=6, val=4, test=4)
COLOURS = ((255, 255, 255), (230, 40, 40), (40, 60, 230))


def write_dataset(
    root: Path,
    classes: Sequence[str] = ('smoke',),
    splits: Mapping[str, int] = SPLITS,
    size: tuple[int, int] = (48, 36),
    suffix: str = '.png',
    masks: bool = True,
    context: bool = False,
    seed: int = 0,
) -> Path:
    """Dim noise with one bright disc for each class that the image has, in the standard layout.

    Class k of image i is present if bit k of i + 1 is set, so each class has positives and
    negatives in each split of two or more images (four or more for several classes). Images of
    no class have no mask file. Extra columns: ``camera`` (north, south) and ``note`` (empty).

    Args:
        size: (width, height).
        suffix: of the images, ``.png`` or ``.jpg``.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for split, count in splits.items():
        for i in range(count):
            labels = [(i + 1) >> k & 1 for k in range(len(classes))]
            picture, mask = draw(rng, size, labels)
            name = f'{split}_{i}'
            save(root / 'images' / f'{name}{suffix}', picture)
            if masks and any(labels):
                save_palette(root / 'masks' / f'{name}.png', mask)
            if context:
                chimney = np.zeros_like(mask)
                chimney[-8:, 2:6] = 1
                save_palette(root / 'context' / f'{name}.png', chimney)
            camera = 'north' if i % 4 < 2 else 'south'
            rows.append([f'images/{name}{suffix}', split, *labels, camera, ''])
    write_table(root, ['image', 'split', *classes, 'camera', 'note'], rows)
    return root


def draw(rng, size: tuple[int, int], labels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    width, height = size
    picture = rng.integers(20, 90, (height, width, 3)).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    rows, columns = np.mgrid[:height, :width]
    radius = min(width // len(labels), height) / 4
    for k, present in enumerate(labels):
        # one vertical strip of the image for each class, so that discs never overlap
        x = (k + 0.5) * width / len(labels) + rng.uniform(-1, 1) * radius / 2
        y = rng.uniform(radius, height - radius)
        if present:
            disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
            picture[disc], mask[disc] = COLOURS[k], k + 1
    return picture, mask


def write_table(root: Path, header: Sequence[str], rows: Sequence[Sequence]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    with open(root / 'labels.csv', 'w', encoding='utf-8', newline='') as file:
        csv.writer(file, lineterminator='\n').writerows([header, *rows])
    return root


def save(path: Path, array: np.ndarray, **kwargs) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **kwargs)
    return path


def save_palette(path: Path, mask: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(mask.astype(np.uint8))
    # all 256 colours: Pillow stores fewer bits for fewer colours, and 255 would become 1 or 3
    picture.putpalette([value * 37 % 256 for value in range(768)])
    picture.save(path)
    return path


@pytest.fixture(autouse=True)
def nothing_of_other_runs() -> Iterator[None]:
    """Let no test write to the closed log file of another's run, or build in its scope."""
    yield
    MMLogger._instance_dict.clear()
    DefaultScope._instance_dict.clear()


@pytest.fixture
def tiny_dataset(tmp_path) -> Callable[..., Path]:
    """Function that writes a small data set and returns its folder; see :func:`write_dataset`."""

    def make(name: str = 'tiny', **kwargs) -> Path:
        return write_dataset(tmp_path / name, **kwargs)

    return make


@pytest.fixture
def mmpretrain_scope() -> Iterator[None]:
    """The default scope of stages 1 and 2, for this test alone."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture
def load_tool(monkeypatch) -> Callable[[str], ModuleType]:
    """Function that imports a script below tools/, as in load_tool('dataset_converters/x.py')."""

    def load(path: str) -> ModuleType:
        monkeypatch.syspath_prepend((ROOT / 'tools' / path).parent)  # as where it is run
        spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / 'tools' / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run_main(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Function that runs a tool's main() with arguments; returns exit code, stdout and stderr."""

    def run(main: Callable[[], None], *args) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, 'argv', ['tool', *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def checkpoint(tmp_path):
    """Makes the checkpoint of a tiny classifier with random weights."""

    def make(num_classes=1, model=None):
        import torch
        from label_runs import tiny_model
        from mmpretrain.registry import MODELS

        torch.manual_seed(0)
        model = MODELS.build(model or tiny_model(num_classes))
        # random weights give maps of either sign; these see something everywhere
        model.head.classifier.weight.data.abs_()
        path = tmp_path / f'classifier-{num_classes}.pth'
        torch.save(dict(state_dict=model.state_dict(), meta=dict()), path)
        return path

    return make


@pytest.fixture
def without_pydensecrf(monkeypatch) -> None:
    """Make this machine one where pydensecrf is not installed."""
    find_spec = importlib.util.find_spec

    def find_others(name: str, *args):
        return None if name == 'pydensecrf' else find_spec(name, *args)

    monkeypatch.setattr(importlib.util, 'find_spec', find_others)


@pytest.fixture
def no_kernel_of_a_fake_gpu():
    """Forget what was computed on a device that only pretends to be there."""
    from mmsmoke.functional import crf

    yield
    crf._spatial_kernel.cache_clear()
