"""Find the pictures of a folder, and what their names tell: camera, day, what belongs together."""

import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from mmsmoke.datasets.splitting import DAY
from mmsmoke.datasets.table import IMAGES, require_own_masks
from mmsmoke.datasets.writer import FOLDERS
from mmsmoke.utils import UserError

OF_OTHERS = {*FOLDERS[1:], 'overlays', 'videos'}
"""Folders beside pictures that hold masks of them and what tools/infer.py has made of them."""


def find_pictures(root: Path, named: Iterable[str] = ()) -> list[str]:
    """Return the pictures of a data set or a plain folder, sorted, as labels.csv names them.

    A data set has its pictures in ``images/``; those of a plain folder stay where they are. What
    labels.csv cannot name, and what links lead to outside of the folder, is left out with a
    warning.

    Args:
        named: pictures that labels.csv names already, wherever they lie.
    """
    place = root / 'images' if (root / 'images').is_dir() else root
    inside = (path.relative_to(root).as_posix() for path in _walk(place, root))
    names = sorted({*inside, *(name for name in named if os.path.isfile(root / name))})
    nameable = [name for name in names if _can_be_named(name)]
    _warn(len(names) - len(nameable), 'have names that labels.csv cannot hold; rename them')
    folders = {str(PurePosixPath(name).parent) for name in nameable}
    sound = {folder for folder in folders if is_inside(root, folder)}
    found = [
        name
        for name in nameable
        if str(PurePosixPath(name).parent) in sound
        and (not os.path.islink(root / name) or is_inside(root, name))
    ]
    _warn(len(nameable) - len(found), f'lie outside of {root}, where links lead to')
    if not found:
        raise UserError(f'no pictures in {place}: they end in {", ".join(IMAGES)}')
    require_own_masks((name, root / name) for name in found)
    return found


def is_inside(root: Path, name: str) -> bool:
    """Return whether a file lies below a folder, wherever links lead."""
    return (root / name).resolve().is_relative_to(root.resolve())


def _walk(place: Path, root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(place):
        others = OF_OTHERS if Path(folder) == root else ()
        folders[:] = [name for name in folders if name[0] != '.' and name not in others]
        for name in files:
            if name[0] != '.' and Path(name).suffix.lower() in IMAGES:
                yield Path(folder, name)


def _can_be_named(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8
        return False
    return len(name.splitlines()) == 1 and name == name.strip()


def _warn(count: int, what: str) -> None:
    if count:
        warnings.warn(f'{count} pictures are left out: they {what}', stacklevel=3)


def camera_of(name: str) -> str:
    """Return the camera: the folders of a picture, and what stands before the day in its name.

    Example:
        >>> camera_of('images/plant/north_2026-03-01_0900.jpg'), camera_of('IMG_1.jpg')
        ('plant/north', '')
    """
    path = PurePosixPath(name)
    folders = [part for part in path.parent.parts if not re.fullmatch(DAY, part)]
    if folders[:1] == ['images']:
        del folders[0]
    day = re.search(DAY, path.name)
    before = path.name[: day.start()].strip(' -_.') if day else ''
    return '/'.join([*folders, before] if before else folders)


def grouping(pattern: str | None = None) -> Callable[[str], str]:
    """Return a function that tells of a name what belongs together with it.

    Args:
        pattern: regular expression; what it finds in a name is its group, all of it or, where the
            expression has parts in brackets, these. By default camera and day; where names tell no
            day, the folder, since frames that follow each other look alike.
    """
    if pattern is None:
        return _camera_and_day
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(f'{pattern!r} is no regular expression: {error}') from error

    def group(name: str) -> str:
        found = expression.search(name)
        if found is None:
            raise UserError(f'{pattern!r} finds nothing in {name}')
        return ' '.join(filter(None, found.groups())) or found[0]

    return group


def _camera_and_day(name: str) -> str:
    days = re.search(DAY, name)
    day = re.sub('[-_.]', '', days[0]) if days else ''
    return ' '.join(filter(None, [camera_of(name), day])) or 'all'
