"""Are the numbers of a committed result still what its command gives?"""

import json
from collections.abc import Mapping
from pathlib import Path

from mmsmoke.utils import UserError

from .sweep import run_sweep


def rerun(
    file: str | Path,
    variant: str | None = None,
    seed: int | None = None,
    work_dir: str | None = None,
) -> list[dict]:
    """Does one run of a sweep's result again, and what it starts from.

    Args:
        file: JSON that tools/sweep.py wrote.
        variant, seed: which run; the first of the file by default.

    Returns:
        Of each column of the sweep's table: what the file says, what came out now, and how far
        apart they are.
    """
    result = json.loads(Path(file).read_text(encoding='utf-8'))
    if 'sweep' not in result:
        raise UserError(f'{file} is no result of tools/sweep.py')
    run = _find(result, variant, seed)
    again = run_sweep(
        result['sweep'],
        work_dir or str(Path('work_dirs/rerun') / Path(file).stem),
        seeds=[run['seed']],
        variants=[run['variant']],
        options=result['options'],
    )
    now = _find(again, run['variant'], run['seed'])
    rows = []
    for title, split, metric in result['columns']:
        values = [one['splits'].get(split, {}).get(metric) for one in (run, now)]
        known = None not in values
        rows.append(
            dict(
                column=title,
                file=_text(values[0]),
                now=_text(values[1]),
                difference=abs(values[0] - values[1]) if known else float(values[0] != values[1]),
            )
        )
    return rows


def _find(result: Mapping, variant: str | None, seed: int | None) -> Mapping:
    for run in result['runs']:
        if variant in (None, run['variant']) and seed in (None, run['seed']):
            return run
    known = list(dict.fromkeys(run['variant'] for run in result['runs']))
    raise UserError(f'no run of {variant}, seed {seed}; there are {", ".join(known)}')


def _text(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f}'
