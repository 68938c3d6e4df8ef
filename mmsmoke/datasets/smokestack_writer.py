"""Write a Smokestack to disk, in the standard layout of `WeakSegDataset`."""

from functools import partial
from pathlib import Path

from mmsmoke.utils import UserError, save_png

from .conversion import FOLDERS, Task, Written, write_dataset
from .smokestack import DRAWING_VERSION, OPACITY_CUT, SPLITS, Smokestack

MASK_PALETTE = ((0, 0, 0), (255, 80, 0))
CONTEXT_PALETTE = ((0, 0, 0), (0, 160, 255))


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
    progress: bool = True,
    overwrite: bool = False,
) -> Written:
    """Draw a whole data set to disk, or finish one that was interrupted.

    Args:
        test: Images in each of test, chimney_only and smoke_only.
        workers: Processes; None for one per core. The files do not depend on it.
        overwrite: Remove what an earlier run with any parameters drew in `out`.

    Raises:
        UserError: (a ValueError) a parameter is out of range, or `out` holds something else.
    """
    source = Smokestack(preset, size, seed, p_chimney_smoke, p_chimney_clear)
    requested = {'train': train, 'val': val, 'test': test}
    for name, count in requested.items():
        if count < 0:
            raise UserError(f'{name} must not be negative, not {count}')
    parameters = {
        'preset': preset,
        'size': size,
        'seed': seed,
        **requested,
        'p_chimney_smoke': source.p_chimney_smoke,
        'p_chimney_clear': source.p_chimney_clear,
        'drawing': DRAWING_VERSION,
        'opacity_cut': OPACITY_CUT,
    }
    tasks = [
        _task(source, split, index)
        for split in SPLITS
        for index in range(requested.get(split, test))
    ]
    return write_dataset(out, tasks, parameters, workers, overwrite, progress=progress)


def _task(source: Smokestack, split: str, index: int) -> Task:
    name = f'{split}/{index:06d}.png'
    row = {'image': f'images/{name}', 'split': split, 'smoke': source.label(split, index)}
    return Task(name, [row], partial(_write_scene, source, split, index, name), FOLDERS)


def _write_scene(source: Smokestack, split: str, index: int, name: str, root: Path) -> None:
    scene = source.scene(split, index)
    save_png(root / 'context' / name, scene.context, CONTEXT_PALETTE, compress_level=1)
    save_png(root / 'masks' / name, scene.smoke, MASK_PALETTE, compress_level=1)
    save_png(root / 'images' / name, scene.image, compress_level=1)
