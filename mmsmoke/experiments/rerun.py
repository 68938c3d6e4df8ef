"""Check whether the numbers of a committed result are still what its command gives."""

import math
import time
from collections.abc import Mapping
from pathlib import Path

from mmsmoke.utils import UserError

from .run_records import read_result
from .sweep import run_sweep


def rerun(file: str | Path, variant: str | None = None, seed: int | None = None) -> list[dict]:
    """Do one run of a sweep's result again, and what it starts from.

    Args:
        file: JSON that tools/sweep.py wrote.
        variant, seed: which run; the first of the file by default.

    Returns:
        Of each column of the sweep's table: what the file says, what came out now, and how far
        apart they are.
    """
    result = read_result(file)
    run = _find(result, variant, seed)
    again = run_sweep(
        result['sweep'],
        # a new folder: a finished run in an old one would be taken for the rerun; beside the
        # others, since a run may start from another sweep's
        f'work_dirs/rerun_{Path(file).stem}_{time.strftime("%Y%m%d_%H%M%S")}',
        seeds=[run['seed']],
        variants=[run['variant']],
        options=result.get('options'),
        scale=result.get('scale'),
    )
    now = _find(again, run['variant'], run['seed'])
    rows = []
    for title, split, metric in result['columns']:
        values = [one['splits'].get(split, {}).get(metric) for one in (run, now)]
        if None in values:
            difference = 0.0 if values[0] == values[1] else math.inf
        else:
            difference = abs(values[0] - values[1])
        file_now = dict(zip(('file', 'now'), map(_text, values), strict=True))
        rows.append({'column': title, **file_now, 'difference': difference})
    return rows


def _find(result: Mapping, variant: str | None, seed: int | None) -> Mapping:
    for run in result['runs']:
        if variant in (None, run['variant']) and seed in (None, run['seed']):
            return run
    known = list(dict.fromkeys(run['variant'] for run in result['runs']))
    raise UserError(f'no run of {variant}, seed {seed}; there are {", ".join(known)}')


def _text(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f}'
