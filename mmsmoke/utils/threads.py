"""Let threads work ahead of whoever needs the results."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TypeVar

from .progress import progress

Given = TypeVar('Given')
Made = TypeVar('Made')


def in_threads(function: Callable[[Given], Made], items: Sequence[Given], text: str) -> list[Made]:
    """Return what a function makes of each item, in their order; show how far it is."""
    with ThreadPoolExecutor() as pool:
        return list(progress(pool.map(function, items), len(items), text))


def map_ahead(
    function: Callable[[Given], Made], items: Iterable[Given], threads: int, most: int
) -> Iterator[Made]:
    """Yield ``function`` of each item, in order, with up to ``most`` begun beforehand.

    The items themselves are taken in the thread of the consumer. Where it stops early, what has
    not begun is dropped.
    """
    waiting = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def iterate_ahead(items: Iterable[Made], most: int) -> Iterator[Made]:
    """Yield the items, of which one thread takes up to ``most`` beforehand."""
    source, end = iter(items), object()
    for item in map_ahead(lambda _: next(source, end), repeat(None), 1, most):
        if item is end:
            return
        yield item
