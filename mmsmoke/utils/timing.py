import sys
import time
from collections.abc import Callable, Sequence
from statistics import median


def seconds_in_turns(ways: Sequence[Callable[[], object]], turns: int) -> list[float]:
    """Median time of each of several ways, called in turns, so that all meet the same weather."""
    times = [[_seconds(way) for way in ways] for _ in range(turns)]
    return [median(column) for column in zip(*times, strict=True)]


def _seconds(way: Callable[[], object]) -> float:
    started = time.perf_counter()
    way()
    torch = sys.modules.get('torch')  # what does not load it leaves no GPU at work
    if torch and torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started
