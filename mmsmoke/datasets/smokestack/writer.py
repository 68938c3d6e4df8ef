"""Write a Smokestack to disk, in the standard layout of `WeakSegDataset`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mmsmoke.datasets.writer import FOLDERS, Task, Written, write_dataset
from mmsmoke.utils import UserError, save_png

from .drawing.elements import Scene
from .drawing.render import OPACITY_CUT, render
from .scenes import DRAWING_VERSION, PAIRS, SPLITS, UNLABELLED, Smokestack

CLASSES = ('smoke', 'steam')
MASK_PALETTE = ((0, 0, 0), (255, 80, 0), (255, 255, 255))
CONTEXT_PALETTE = ((0, 0, 0), (0, 160, 255), (0, 255, 160))


def write_smokestack(
    out: str | Path,
    preset: str = 'biased',
    size: int = 128,
    train: int = 2000,
    val: int = 300,
    test: int = 500,
    seed: int = 0,
    workers: int | None = None,
    p_chimney_smoke: float = 1.0,
    p_chimney_clear: float | None = None,
    pairs: int = 0,
    unlabelled: int = 0,
    classes: Sequence[str] = ('smoke',),
    overwrite: bool = False,
) -> Written:
    """Draw a whole data set to disk, or finish one that was interrupted.

    Args:
        test: Images in each of test, chimney_only and smoke_only.
        pairs: Scenes in the split ``pairs``, each drawn once for each of `KINDS`; labels.csv has
            ``scene`` and ``kind`` of each.
        unlabelled: Images in the split of that name, half of whose clear scenes have a chimney.
            Their labels are known; it is for a config to leave them out.
        classes: ``('smoke', 'steam')`` adds cooling towers and steam.
        workers: Processes; None for one per core. The files do not depend on it.
        overwrite: Remove what an earlier run with any parameters drew in `out`.

    Raises:
        UserError: (a ValueError) a parameter is out of range, or `out` holds something else.
    """
    steam = require_classes(classes)
    source = Smokestack(preset, size, seed, p_chimney_smoke, p_chimney_clear, steam)
    requested = {'train': train, 'val': val, 'test': test, 'pairs': pairs, UNLABELLED: unlabelled}
    for name, count in requested.items():
        if count < 0:
            raise UserError(f'{name} must not be negative, not {count}')
    parameters = {
        'preset': preset,
        'size': size,
        'seed': seed,
        **{name: count for name, count in requested.items() if count or name != UNLABELLED},
        'p_chimney_smoke': source.p_chimney_smoke,
        'p_chimney_clear': source.p_chimney_clear,
        **({'classes': list(classes)} if steam else {}),
        'drawing': DRAWING_VERSION,
        'opacity_cut': OPACITY_CUT,
    }
    tasks = [
        _task(
            split, f'{index:06d}', source.labels(split, index), partial(source.scene, split, index)
        )
        for split in SPLITS
        if split != PAIRS
        for index in range(requested.get(split, test))
    ]
    for index, kinds in source.pairs(pairs):
        for kind, layout in kinds.items():
            draw, columns = partial(render, layout, size), dict(scene=index, kind=kind)
            labels = {name: 0 for name in classes} | {'smoke': layout.label}
            tasks.append(_task(PAIRS, f'{index:06d}_{kind}', labels, draw, **columns))
    return write_dataset(out, tasks, parameters, workers, overwrite)


def require_classes(classes: Sequence[str]) -> bool:
    """Return whether steam is one of the classes."""
    if tuple(classes) not in (CLASSES[:1], CLASSES):
        raise UserError(f'classes must be smoke, or smoke and steam, not {" ".join(classes)}')
    return 'steam' in classes


def _task(
    split: str, stem: str, labels: Mapping[str, int], draw: Callable[[], Scene], **columns
) -> Task:
    name = f'{split}/{stem}.png'
    row = {'image': f'images/{name}', 'split': split, **labels, **columns}
    return Task(name, [row], partial(write_scene, draw, name, len(labels) + 1), FOLDERS)


def write_scene(draw: Callable[[], Scene], name: str, colors: int, root: Path) -> None:
    """Write image, mask and context of a scene below the folder of a data set."""
    scene, mask, context = draw(), MASK_PALETTE[:colors], CONTEXT_PALETTE[:colors]
    save_png(root / 'context' / name, scene.context, context, compress_level=1)
    save_png(root / 'masks' / name, scene.smoke + 2 * scene.steam, mask, compress_level=1)
    save_png(root / 'images' / name, scene.image, compress_level=1)
