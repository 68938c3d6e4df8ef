"""Show how far something is: in bars on standard error, and only if that is a terminal."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tqdm import tqdm


def progress(items: Iterable | None = None, total: int | None = None, text: str = '', **options):
    """Return a tqdm bar over the items; of several processes only the main one shows it.

    Args:
        options: more of tqdm's.
    """
    distributed = sys.modules.get('mmengine.dist')  # which loads torch; checks do without
    is_main = distributed is None or distributed.is_main_process()
    shown = is_main and sys.stderr.isatty()
    return tqdm(items, text, total, leave=False, dynamic_ncols=True, disable=not shown, **options)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show what takes a while, and for how long it has been at it."""
    done = Event()

    def tick() -> None:
        while not done.wait(0.5):
            bar.refresh()

    with progress(text=text, bar_format='{desc} {elapsed}') as bar:
        ticking = Thread(target=tick, daemon=True)
        if not bar.disable:
            ticking.start()
        try:
            yield
        finally:
            done.set()
            if not bar.disable:
                ticking.join()
