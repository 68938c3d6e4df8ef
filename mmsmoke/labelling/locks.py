from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mmsmoke.utils import UserError

PATIENCE = 20  # seconds


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other threads and processes from changing a file; they wait for their turn.

    The lock is a hidden file beside it, and goes when the process dies, however it dies.
    """
    lock = path.with_name(f'.{path.name}.lock')
    try:
        with FileLock(lock, timeout=PATIENCE):
            yield
    except Timeout as error:
        raise UserError(f'{path} is being changed by another process: try again') from error
