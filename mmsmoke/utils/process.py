import ctypes
import os
import signal
import sys

_PARENT_DEATH_SIGNAL = 1


def die_with_parent(parent: int) -> None:
    """Called in a new process: it is killed as soon as its parent ends, even by ``kill -9``.

    Otherwise a process would work on behind the back of the next run. Linux only; elsewhere
    nothing happens.

    Args:
        parent: process id of the parent, found by the parent itself.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)
