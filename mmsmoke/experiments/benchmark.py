"""Make the numbers of a row of the benchmark, by the plans that docs/benchmark.json names."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from mmengine.config import Config

from mmsmoke.reports.benchmark import board_of, read_benchmark
from mmsmoke.utils import UserError, read_json, write_json

from .executors import Executor
from .pipeline import run_pipeline
from .plan import load_plan
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
            Called again, it goes on there.
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
    files = {
        plan: str(Path(fresh, Path(file).name)) if fresh else file
        for plan, file in board['plans'].items()
    }
    sweeps = [file for plan, file in files.items() if not _is_pipeline(plan)]
    known = [file for file in sweeps if Path(file).is_file()]
    wanted = _plans_of(board, row)
    for plan, variants in wanted.items():
        if _is_pipeline(plan):
            _run_missing(plan, fresh, Path(files[plan]), seeds, jobs, executor)
        else:
            run_sweep(
                *(plan, _folder(read_sweep(plan), fresh), files[plan], seeds, variants),
                known=known, jobs=jobs, executor=executor,
            )  # fmt: skip
    return [files[plan] for plan in wanted]


def _run_missing(
    pipeline: str,
    fresh: str | None,
    out: Path,
    seeds: Sequence[int] | None,
    jobs: int,
    executor: Executor | None,
) -> None:
    """Run a pipeline with the seeds that its result file does not have, and add them to it."""
    plan = load_plan(pipeline)
    known = read_json(out)['chains'] if out.is_file() else []
    there = {chain['seed'] for chain in known}
    missing = [seed for seed in seeds or plan.seeds if seed not in there]
    if missing:
        options = dict(seeds=missing)
        result = run_pipeline(pipeline, _folder(plan, fresh), options, jobs, executor)
        chains = sorted([*known, *result['chains']], key=itemgetter('seed'))
        write_json(out, {**result, 'chains': chains})


def _folder(plan: Config, fresh: str | None) -> str | None:
    """Return where the runs of a plan lie below a fresh folder, apart from those of others."""
    return fresh and str(Path(fresh, Path(plan.work_dir).name))


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
