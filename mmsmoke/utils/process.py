import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

_PARENT_DEATH_SIGNAL = 1
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def die_with_parent(parent: int) -> None:
    """Let this new process be killed as soon as its parent ends, even by ``kill -9``.

    Otherwise a process would work on behind the back of the next run. Linux only; elsewhere
    nothing happens.

    Args:
        parent: process id of the parent, found by the parent itself.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def process_pool(workers: int, begin: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """Make a pool of processes that leave Ctrl-C to their parent and end with it.

    On Linux they are forks, also on Python 3.14, whose default is a server that forks instead:
    the processes would end with that.

    Args:
        begin: what each does first.
    """
    context = multiprocessing.get_context('fork' if sys.platform == 'linux' else None)
    return ProcessPoolExecutor(workers, context, _begin, (os.getpid(), begin))


def _begin(parent: int, begin: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops this process
    die_with_parent(parent)
    if begin is not None:
        begin()


def keep_freed_memory() -> None:
    """Make this process keep the memory that it frees, for its next arrays.

    A training step takes and frees the same large arrays again and again. Otherwise the system
    takes back the pages and hands out the same number anew, emptied, each time, which costs a CNN
    on a CPU up to a quarter of its step. With glibc only; elsewhere nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None) if sys.platform == 'linux' else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
