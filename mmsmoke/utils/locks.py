import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UserError


class Busy(UserError):
    """Somebody else is at it."""


@contextmanager
def exclusive(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keep a second run out of a folder. The lock goes when the process dies, however it dies.

    Args:
        wait: for the other run to end, instead of raising :class:`Busy`, which names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / '.lock', 'a+', encoding='utf-8') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or 'another process'
            raise Busy(f'another run is at work in {folder}: {owner}') from None
        lock.truncate(0)
        print(f'process {os.getpid()} on {socket.gethostname()}', file=lock, flush=True)
        yield
