"""The same training under several settings and seeds, for tables with a spread."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.utils import write_json
from mmsmoke.visualization import markdown_table

from .environment import environment
from .launch import load_config
from .pipeline import draw_if_missing
from .stages import exclusive, say, train_and_test


def run_sweep(sweep_file: str, work_dir: str | None = None, out: str | None = None) -> dict:
    """Trains and tests every variant with every seed; finished runs are kept.

    A sweep file has ``config``, ``options`` (changes to it for all), ``variants`` (name ->
    changes), ``seeds``, ``splits``, ``threshold_split``, ``columns`` (what the table shows:
    title, split, metric) and, for drawn data, ``draw`` (data_root -> arguments of the Smokestack
    converter).

    Args:
        out: JSON file for the results, written anew after each run.

    Returns:
        The results of all runs; see :func:`sweep_table` for a table of them.
    """
    sweep = load_config(sweep_file, work_dir)
    folder = Path(sweep.work_dir)
    out = Path(out) if out else folder / 'results.json'
    result = dict(
        sweep=str(sweep_file),
        command=f'python tools/sweep.py {sweep_file}',
        columns=[list(column) for column in sweep.columns],
        runs=[],
        environment=environment(),
    )
    todo = [(name, seed) for seed in sweep.seeds for name in sweep.variants]
    with exclusive(folder):
        for data_root, arguments in sweep.get('draw', {}).items():
            draw_if_missing(data_root, arguments)
        for number, (name, seed) in enumerate(todo, 1):
            say(f'\n== run {number}/{len(todo)}: {name}, seed {seed}')
            cfg = _variant(sweep, name, seed)
            tested = train_and_test(
                cfg, folder / name / f'seed-{seed}', sweep.splits, sweep.threshold_split
            )
            result['runs'].append(
                dict(variant=name, seed=seed, protocol=tested['protocol'], splits=tested['splits'])
            )
            write_json(out, result)
    say(f'\n{sweep_table(result)}\n\nnumbers   {out}')
    return result


def _variant(sweep: Config, name: str, seed: int) -> Config:
    options = {**sweep.get('options', {}), **sweep.variants[name], 'randomness.seed': seed}
    return load_config(sweep.config, options=options)


def sweep_table(result: dict) -> str:
    """Mean ± standard deviation over the seeds, one row a variant."""
    variants = dict.fromkeys(run['variant'] for run in result['runs'])
    rows = []
    for name in variants:
        runs = [run for run in result['runs'] if run['variant'] == name]
        cells = [
            mean_and_spread([run['splits'][split][metric] for run in runs])
            for _, split, metric in result['columns']
        ]
        rows.append([name, len(runs), *cells])
    titles = [title for title, _, _ in result['columns']]
    return markdown_table(['variant', 'seeds', *titles], rows)


def mean_and_spread(values: Sequence[float]) -> str:
    """'81.2 ± 0.9': mean and sample standard deviation; the mean alone for one value."""
    mean = f'{statistics.mean(values):.1f}'
    return f'{mean} ± {statistics.stdev(values):.1f}' if len(values) > 1 else mean
