"""Count what the steps of an experiment cost, in minutes of one processor core."""

import gc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmsmoke.utils import UserError, read_json, write_json

from .step import Step, with_inputs

COST = 'cost.json'


def note_cost(folder: Path) -> None:
    """Add what this process and those that it waited for have used to the cost of its step."""
    path = folder / COST
    before = read_json(path)['cpu_seconds'] if path.is_file() else 0
    gc.collect()  # a loader's processes count once they have ended
    write_json(path, dict(cpu_seconds=round(before + sum(os.times()[:4]), 1)))


def cost_rows(
    steps: Mapping[str, Sequence[Step]], folder: Path, baseline: str
) -> list[dict[str, str | float | int]]:
    """Say for each variant what its own training costs, and all that this needs before.

    Args:
        steps: those that make the checkpoints of each variant, one for each of its seeds.
        folder: of the experiment.
        baseline: the variant that the others are compared with.
    """
    if baseline not in steps:
        raise UserError(f'no variant {baseline}; there are {", ".join(steps)}')
    rows = {}
    for name, last in steps.items():
        own, all_of_it = 0.0, 0.0
        for one in last:
            minutes = [_minutes(folder / name) for name in with_inputs([one])]
            own += minutes[-1]
            all_of_it += sum(minutes)
        rows[name] = dict(own=own / len(last), all=all_of_it / len(last), seeds=len(last))
    plain = rows[baseline]['all']
    return [
        {
            'variant': name,
            'its own step': round(row['own'], 2),
            'with all before it': round(row['all'], 2),
            f'times {baseline}': round(row['all'] / plain, 2),
            'seeds': row['seeds'],
        }
        for name, row in rows.items()
    ]


def _minutes(folder: Path) -> float:
    path = folder / COST
    if not path.is_file():
        raise UserError(f'{path} not found: the step was not done here, or by an older version')
    return read_json(path)['cpu_seconds'] / 60
