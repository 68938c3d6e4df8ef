"""Hold what benchmarks have in common: options, times taken in turns, and tables of results."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from mmsmoke.utils import UserError, write_json
from mmsmoke.visualization import rows_table

if TYPE_CHECKING:
    from torch import Tensor

    from mmsmoke.models import CAMClassifier

Made = TypeVar('Made')


def options(description: str, **turns: int) -> argparse.ArgumentParser:
    """Return a parser with the options that benchmarks share.

    Args:
        turns: default of the option that says how many turns are taken, by its name.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('--out', type=Path, help='JSON file for the table')
    for name, default in turns.items():
        text = 'turns, of which the median counts'
        parser.add_argument(f'--{name}', type=positive, default=default, help=text)
    return parser


def positive(text: str) -> int:
    """Read a number that something can be done so many times."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be at least 1, not {text}')
    return int(text)


def side(text: str) -> int:
    """Read the side of images that every network can halve five times."""
    if int(text) < 64 or int(text) % 32:
        raise argparse.ArgumentTypeError(f'must be a multiple of 32 from 64 on, not {text}')
    return int(text)


def report(rows: Sequence[dict], out: Path | None) -> None:
    """Print a table, and write it as JSON where a file is named."""
    print(rows_table(rows))
    if out:
        write_json(out, rows)


def timed(work: Callable[[], Made]) -> tuple[Made, float]:
    """Return what a function returns, and how many seconds it took."""
    started = time.perf_counter()
    result = work()
    torch = sys.modules.get('torch')  # what has not loaded it leaves no GPU at work
    if torch and torch.cuda.is_available():
        torch.cuda.synchronize()
    return result, time.perf_counter() - started


def seconds_in_turns(ways: Sequence[Callable[[], object]], turns: int) -> list[float]:
    """Median time of each of several ways, called in turns, so that all meet the same weather."""
    times = [[timed(way)[1] for way in ways] for _ in range(turns)]
    return [median(column) for column in zip(*times, strict=True)]


def difference(first: Tensor, second: Tensor, most: float, what: str) -> float:
    """Return the largest difference of two results; ways that do not agree are not compared."""
    found = (first - second).abs().max().item()
    if found > most:
        raise UserError(f'{what} differ by {found:.1e}')
    return found


def random_classifier(backbone: dict, head: dict) -> CAMClassifier:
    """Build a classifier of mmpretrain's scope with random weights."""
    from mmengine.config import Config

    from mmsmoke.inference.predictor import build_model

    model = dict(type='mmsmoke.CAMClassifier', backbone=backbone, head=head)
    return build_model(Config(dict(model=model, default_scope='mmpretrain')))
