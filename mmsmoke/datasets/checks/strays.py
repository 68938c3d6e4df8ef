"""Finds files beside labels.csv that have the wrong name, or that no row names."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from mmsmoke.datasets.table import IMAGES, TABLE, Row


def mask_file_problems(folder: Path, rows: Sequence[Row]) -> Iterator[str]:
    """Yield what lies where the mask of an image should, and is no PNG file of its name."""
    wanted = _wanted_masks(rows)
    for name, path in _contents(folder):
        row = wanted.get(str(PurePosixPath(name).with_suffix('.png')))
        if path.is_dir():
            if path.suffix.lower() == '.png':
                yield f'{folder / name}{_of(row)} is a folder, not a mask'
        elif row is not None and not (folder / row.mask_name).is_file():
            yield f'{path}{_of(row)}: a mask must be a PNG and be named {folder / row.mask_name}'


def stray_masks(folder: Path, rows: Sequence[Row]) -> Iterator[str]:
    wanted = _wanted_masks(rows)
    strays = [
        name
        for name, path in _contents(folder)
        if path.suffix.lower() == '.png'
        and str(PurePosixPath(name).with_suffix('.png')) not in wanted
        and not path.is_dir()
    ]
    if strays:
        yield f'masks in {folder} of no image in {TABLE}: {len(strays)}, such as {strays[0]}'


def stray_images(root: Path, rows: Sequence[Row]) -> Iterator[str]:
    named = {str(PurePosixPath(row.image)) for row in rows}
    strays = [
        f'images/{name}'
        for name, path in _contents(root / 'images')
        if path.suffix.lower() in IMAGES and f'images/{name}' not in named and not path.is_dir()
    ]
    if strays:
        yield f'images that no row of {TABLE} names: {len(strays)}, such as {strays[0]}'


def _wanted_masks(rows: Sequence[Row]) -> dict[str, Row]:
    """Tell by the name; an image without an ending may be a folder, which has none."""
    return {row.mask_name: row for row in rows if PurePosixPath(row.image).suffix}


def _contents(folder: Path) -> Iterator[tuple[str, Path]]:
    """List files and folders at any depth, sorted by name, but for hidden ones.

    Bytes of a name that are not UTF-8 are written as in ``caf\\xe9.png``: it is to be printed.
    """
    for path in sorted(folder.rglob('*')):
        name = path.relative_to(folder)
        if not any(part.startswith('.') for part in name.parts):
            yield os.fsencode(name.as_posix()).decode(errors='backslashreplace'), path


def _of(row: Row | None) -> str:
    return '' if row is None else f' ({row.where})'
