"""Write files that are either complete or not there, whenever the process dies."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import mmsmoke

from .errors import UserError

INSTALLED = Path(mmsmoke.__file__).parent / '.mim'
"""Holds the configs and tools of this installation; in a checkout, links to them."""


def installed(folder: str) -> Path:
    """Return the folder of configs or tools of this installation."""
    path = INSTALLED / folder
    if not path.is_dir():  # git on Windows may write a file in its place
        raise UserError(
            f'{path} is no folder: check mmsmoke out with symbolic links '
            '(git config core.symlinks true)'
        )
    return path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` on success.

    The name is nobody else's, on no other machine either: of two that write the same file, the last
    one wins.

    Example:
        >>> with atomic_path('result.txt') as temporary:
        ...     _ = temporary.write_text('all or nothing')
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.stem}.{uuid4().hex[:12]}.tmp{path.suffix}')
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Write a JSON file, indented by one, that is complete or not there."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + '\n')


def read_json(path: str | os.PathLike) -> Any:
    """Read a JSON file that a user names, also one with a byte-order mark."""
    try:
        return json.loads(Path(path).read_text(encoding='utf-8-sig'))
    except FileNotFoundError as error:
        raise UserError(f'{path} not found') from error
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path} is no JSON file: {error}') from error


def sha256_of_file(path: str | os.PathLike) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_folder(folder: str | os.PathLike) -> str:
    """Hash the names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in Path(folder).rglob('*') if path.is_file()):
        digest.update(f'{path.relative_to(folder).as_posix()} {sha256_of_file(path)}\n'.encode())
    return digest.hexdigest()
