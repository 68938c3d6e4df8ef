"""Write a Smokestack to disk, in the standard layout of `WeakSegDataset`."""

import csv
import json
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from mmsmoke.utils import UserError, atomic_path, write_json
from mmsmoke.utils.process import die_with_parent

from .smokestack import DRAWING_VERSION, OPACITY_CUT, SPLITS, Smokestack

CHUNK = 24  # scenes that a process draws at a time
FOLDERS = ('context', 'masks', 'images')  # in the order of writing: the image vouches for the rest
RECORD = 'smokestack.json'
MASK_PALETTE = [0, 0, 0, 255, 80, 0]
CONTEXT_PALETTE = [0, 0, 0, 0, 160, 255]


def _write_png(path: Path, pixels: np.ndarray, palette: list[int] | None = None) -> None:
    picture = Image.fromarray(pixels)
    if palette is not None:
        picture.putpalette(palette)
    with atomic_path(path) as temporary:
        picture.save(temporary, compress_level=1)


def _files(root: Path, split: str, index: int) -> list[Path]:
    return [root / folder / split / f'{index:06d}.png' for folder in FOLDERS]


def _write_chunk(source: Smokestack, root: Path, split: str, indices: list[int]) -> int:
    for index in indices:
        scene = source.scene(split, index)
        context, mask, image = _files(root, split, index)
        _write_png(context, scene.context, CONTEXT_PALETTE)
        _write_png(mask, scene.smoke, MASK_PALETTE)
        _write_png(image, scene.image)
    return len(indices)


def _write_labels(path: Path, source: Smokestack, counts: dict[str, int]) -> dict[str, dict]:
    """Write labels.csv and count the classes of each split."""
    rows = [
        (f'images/{split}/{index:06d}.png', split, source.label(split, index))
        for split, count in counts.items()
        for index in range(count)
    ]
    with atomic_path(path) as temporary, temporary.open('w', newline='') as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(('image', 'split', 'smoke'))
        table.writerows(rows)
    classes = {split: {'smoke': 0, 'clear': 0} for split in counts}
    for _, split, smoke in rows:
        classes[split]['smoke' if smoke else 'clear'] += 1
    return classes


def _claim(root: Path, parameters: dict, overwrite: bool) -> dict:
    """Make `root` ours and give what an earlier run with the same parameters left in its record."""
    record_path = root / RECORD
    if not record_path.exists():
        if root.is_file() or (root.exists() and any(root.iterdir())):
            raise UserError(f'{root} holds something else; choose another folder')
        return {}
    record = json.loads(record_path.read_text())
    if overwrite:
        write_json(record_path, {**record, 'complete': False})
        (root / 'labels.csv').unlink(missing_ok=True)
        for folder in FOLDERS:
            shutil.rmtree(root / folder, ignore_errors=True)
        return {}
    for name, value in parameters.items():
        if record.get(name) != value:
            raise UserError(
                f'{root} was drawn with {name} {record.get(name)}, not {value}; '
                'choose another folder or pass --overwrite'
            )
    return record


def _missing_chunks(root: Path, counts: dict[str, int]) -> list[tuple[str, list[int]]]:
    """What is not on disk yet; also makes the folders and clears away unfinished files."""
    chunks = []
    for split, count in counts.items():
        for folder in FOLDERS:
            (root / folder / split).mkdir(parents=True, exist_ok=True)
            for leftover in (root / folder / split).glob('.*.tmp*'):
                leftover.unlink()
        missing = [
            index
            for index in range(count)
            if not all(path.exists() for path in _files(root, split, index))
        ]
        chunks += [(split, missing[at : at + CHUNK]) for at in range(0, len(missing), CHUNK)]
    return chunks


def _draw(source: Smokestack, root: Path, chunks: list, workers: int) -> Iterator[int]:
    """Write all chunks; gives the size of each once it is on disk."""
    if workers == 1:
        for split, indices in chunks:
            yield _write_chunk(source, root, split, indices)
        return
    with ProcessPoolExecutor(workers, initializer=die_with_parent, initargs=(os.getpid(),)) as pool:
        jobs = [pool.submit(_write_chunk, source, root, split, each) for split, each in chunks]
        try:
            for job in as_completed(jobs):
                yield job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


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
) -> dict:
    """Draw a whole data set to disk, or finish one that was interrupted.

    `labels.csv` and then `smokestack.json` with `"complete": true` are written last.

    Args:
        test: Images in each of test, chimney_only and smoke_only.
        workers: Processes; None for one per core. The files do not depend on it.
        overwrite: Remove what an earlier run with any parameters drew in `out`.

    Returns:
        `counts` (split -> smoke, clear), `drawn`, `seconds`, `images_per_second`, and
        `already_complete`, true if nothing was left to do.

    Raises:
        UserError: (a ValueError) a parameter is out of range, or `out` holds something else.
    """
    started = time.perf_counter()
    source = Smokestack(preset, size, seed, p_chimney_smoke, p_chimney_clear)
    requested = {'train': train, 'val': val, 'test': test}
    for name, count in requested.items():
        if count < 0:
            raise UserError(f'{name} must not be negative, not {count}')
    if workers is not None and workers < 1:
        raise UserError(f'workers must be at least 1, not {workers}')
    counts = {split: requested.get(split, test) for split in SPLITS}
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

    root = Path(out)
    earlier = _claim(root, parameters, overwrite)
    if earlier.get('complete'):
        return {
            'counts': earlier['counts'],
            'drawn': 0,
            'seconds': 0.0,
            'images_per_second': 0.0,
            'already_complete': True,
        }

    root.mkdir(parents=True, exist_ok=True)
    write_json(root / RECORD, {**parameters, 'complete': False})
    chunks = _missing_chunks(root, counts)
    drawn = sum(len(indices) for _, indices in chunks)
    workers = min(workers or _cores(), max(len(chunks), 1))
    with tqdm(total=drawn, desc='Smokestack', unit='img', disable=not progress) as bar:
        for written in _draw(source, root, chunks, workers):
            bar.update(written)

    classes = _write_labels(root / 'labels.csv', source, counts)
    write_json(root / RECORD, {**parameters, 'counts': classes, 'complete': True})
    seconds = time.perf_counter() - started
    return {
        'counts': classes,
        'drawn': drawn,
        'seconds': seconds,
        'images_per_second': drawn / seconds,
        'already_complete': False,
    }
