import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import UserError


class Busy(UserError):
    """Report that somebody else holds the lock."""


@contextmanager
def exclusive(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keep a second run out of a folder. The lock goes when the process dies, however it dies.

    Args:
        wait: for the other run to end, instead of raising :class:`Busy`, which names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    owner = folder / '.owner'
    try:
        lock = FileLock(folder / '.lock').acquire(timeout=-1 if wait else 0)
    except Timeout:
        known = 'another process'
        with suppress(OSError):
            known = owner.read_text().strip() or known
        raise Busy(f'another run is at work in {folder}: {known}') from None
    with lock:
        owner.write_text(f'process {os.getpid()} on {socket.gethostname()}\n', encoding='utf-8')
        yield
