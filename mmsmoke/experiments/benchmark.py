"""Make the numbers of a row of the benchmark, by the plans that docs/benchmark.json names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmsmoke.reports.benchmark import board_of, read_benchmark
from mmsmoke.utils import UserError, write_json

from .executors import Executor
from .pipeline import run_pipeline
from .run_records import read_sweep
from .sweep import run_sweep

PIPELINES = 'pipelines'
"""The folder of configs whose plans are no sweeps."""


def make_row(
    board_name: str,
    row_name: str,
    seeds: Sequence[int] | None = None,
    fresh: str | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
) -> list[str]:
    """Do all runs that a row of the benchmark needs and that no result file knows.

    Args:
        seeds: instead of those of the plans.
        fresh: a folder in which everything is done again; the result files stay as they are.
        jobs, executor: see :func:`~mmsmoke.experiments.engine.run_steps`.

    Returns:
        The files that have the numbers.
    """
    board = board_of(read_benchmark(), board_name)
    if row_name not in board['rows']:
        raise UserError(f'{board_name} has no row {row_name!r}, but {", ".join(board["rows"])}')
    row = board['rows'][row_name]
    if 'trivial' in row:
        raise UserError(
            f'{row_name} is not trained; tools/analysis/trivial_baselines.py makes '
            f'{board["trivial"]}'
        )
    known = [] if fresh else [file for file in board['plans'].values() if Path(file).is_file()]
    files = []
    for plan, variants in _plans_of(board, row).items():
        out = Path(fresh, Path(board['plans'][plan]).name) if fresh else Path(board['plans'][plan])
        work_dir = fresh and str(Path(fresh, 'runs'))
        if _is_pipeline(plan):
            options = {'seeds': list(seeds)} if seeds else None
            write_json(out, run_pipeline(plan, work_dir, options, jobs, executor))
        else:
            run_sweep(
                *(plan, work_dir, str(out), seeds, variants),
                known=known, jobs=jobs, executor=executor,
            )  # fmt: skip
        files.append(str(out))
    return files


def _plans_of(board: Mapping, row: Mapping) -> dict[str, list[str]]:
    """Return the plans that make the parts of a row, with the variants that each has to make.

    Of a variant that several plans have, the first plan makes it.
    """
    plans: dict[str, list[str]] = {}
    for variant in (row[part] for part in ('classifier', 'segmentor') if part in row):
        for plan in board['plans']:
            if _is_pipeline(plan) or variant in read_sweep(plan).variants:
                plans.setdefault(plan, []).append(variant)
                break
    return plans


def _is_pipeline(plan: str) -> bool:
    return Path(plan).parent.name == PIPELINES
