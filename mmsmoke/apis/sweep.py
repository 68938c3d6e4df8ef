"""The same training under several settings and seeds, for tables with a spread."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine import best_checkpoint
from mmsmoke.utils import UserError, differences, plain, write_json

from .environment import environment
from .launch import load_config
from .pipeline import draw_if_missing
from .stages import RESULTS, say, take_turns, train_and_test
from .sweep_tables import sweep_tables

_BEST = re.compile(r'\{best:([^}]+)\}')


def run_sweep(
    sweep_file: str,
    work_dir: str | None = None,
    out: str | None = None,
    seeds: Sequence[int] | None = None,
    variants: Sequence[str] | None = None,
    options: Mapping | None = None,
) -> dict:
    """Trains and tests every variant with every seed; finished runs are kept.

    Started twice at once, in the same work_dir, it does two runs at a time: each process takes
    what no other has taken. Sweeps that share a work_dir share the runs that they have in common.

    A sweep file has ``config``, ``options`` (changes to it for all), ``variants`` (name ->
    changes; the key ``config`` names another config, ``'{best:NAME}'`` in a value stands for the
    best checkpoint of that variant with the same seed, ``'{best:WORK_DIR/NAME}'`` for that of a
    finished sweep whose work_dir lies beside this one's), ``seeds``, ``splits``,
    ``threshold_split``, ``columns`` (what the table shows: title, split, metric) and, for drawn
    data, ``draw`` (data_root -> arguments of the Smokestack converter). ``configs`` (name ->
    config) gives configs short names, so that a sweep that inherits may swap them. For the tables
    it may have ``baseline`` (the variant that the others are compared with), ``claims`` and
    ``curves``; see :mod:`mmsmoke.apis.sweep_tables`.

    Args:
        out: JSON file for the results, written anew after each run.
        seeds: instead of those of the file.
        variants: only these, and those that they start from.
        options: more changes to every config, which have the last word.

    Returns:
        The results of all runs; see :func:`~mmsmoke.apis.sweep_tables.sweep_tables`.
    """
    sweep = load_config(sweep_file, work_dir)
    sweep.seeds = seeds or sweep.seeds
    sweep.variants = _choose(sweep.variants, variants)
    sweep.last_word = dict(options or {})
    folder = Path(sweep.work_dir)
    out = Path(out) if out else folder / f'{Path(sweep_file).stem}.json'
    wanted = str([sweep.get(key) for key in ('data_root', 'options', 'variants', 'last_word')])
    for data_root, arguments in sweep.get('draw', {}).items():
        if data_root in wanted:
            draw_if_missing(data_root, arguments)
    if not (sweep.seeds and sweep.variants):
        raise UserError(f'{sweep_file} has no seeds or no variants')
    todo = {
        (name, seed): {(other, seed) for other in _needed(sweep, name)}
        for seed in sweep.seeds
        for name in sweep.variants
    }
    tested = {}
    for name, seed in take_turns(todo, folder / '.locks', '{0[0]}-seed-{0[1]}'.format):
        say(f'\n== {name}, seed {seed} ({len(tested) + 1} of {len(todo)})')
        tested[name, seed] = _train_variant(sweep, folder, name, seed)
        result = _result(sweep_file, sweep, [(key, tested.get(key)) for key in todo])
        write_json(out, result)
    say(f'\n{sweep_tables(result)}\n\nnumbers   {out}')
    return result


def _choose(variants: Mapping, names: Sequence[str] | None) -> dict:
    """These variants and all that they start from, in the order of the file."""
    chosen, more = set(), list(variants if names is None else names)
    while more:
        name = more.pop()
        if name not in variants:
            raise UserError(f'no variant {name}; there are {", ".join(variants)}')
        if name not in chosen:
            chosen.add(name)
            more += [other for other in _BEST.findall(str(variants[name])) if other in variants]
    return {name: changes for name, changes in variants.items() if name in chosen}


def _needed(sweep: Config, name: str) -> set[str]:
    """The variants whose checkpoints this one starts from."""
    needed = {other for other in _BEST.findall(str(sweep.variants[name])) if '/' not in other}
    for other in needed:
        if other not in sweep.variants or other == name:
            raise UserError(f'variant {name} needs {other}, which is no other variant of the sweep')
    return needed


def _train_variant(sweep: Config, folder: Path, name: str, seed: int) -> dict:
    def fill(match: re.Match) -> str:
        base = folder.parent if '/' in match[1] else folder
        run = base / match[1] / f'seed-{seed}'
        if not (run / RESULTS).is_file():
            raise UserError(f'variant {name} starts from {run}, which is not finished')
        return str(best_checkpoint(run))

    changes = _replace(sweep.variants[name], fill)
    config = variant_config(sweep, changes)
    options = {**sweep.get('options', {}), **changes, **sweep.last_word, 'randomness.seed': seed}
    cfg = load_config(config, options=options)
    run = folder / name / f'seed-{seed}'
    return train_and_test(cfg, run, sweep.splits, sweep.threshold_split)


def variant_config(sweep: Config, changes: dict) -> str:
    """The config that a variant changes; takes it out of the changes."""
    config = changes.pop('config', sweep.config)
    return sweep.get('configs', {}).get(config, config)


def _replace(node, fill: Callable[[re.Match], str]):
    """The same with every ``{best:…}`` in it filled in."""
    if isinstance(node, str):
        return _BEST.sub(fill, node)
    if isinstance(node, Mapping):
        return {key: _replace(value, fill) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_replace(value, fill) for value in node]
    return node


def _result(sweep_file: str, sweep: Config, tested: list) -> dict:
    return dict(
        sweep=str(sweep_file),
        command=_command(sweep_file, sweep.last_word),
        options=plain(sweep.last_word),
        columns=[list(column) for column in sweep.columns],
        **{key: plain(sweep[key]) for key in ('baseline', 'claims', 'curves') if key in sweep},
        runs=[run_record(name, seed, one) for (name, seed), one in tested if one is not None],
        environment=environment(),
    )


def _command(sweep_file: str, options: Mapping) -> str:
    changes = ' '.join(f'{key}={value}' for key, value in options.items())
    return f'python tools/sweep.py {sweep_file}' + (f' --cfg-options {changes}' if changes else '')


def run_record(variant: str, seed: int, tested: Mapping) -> dict:
    """What a result keeps of a run.

    Args:
        tested: what tools/test.py wrote about it.
    """
    return dict(
        variant=variant,
        seed=seed,
        config=tested['config']['sha256'],
        checkpoint=tested['checkpoint']['sha256'],
        data=dict(data_root=tested['data_root'], labels_sha256=tested.get('labels_sha256')),
        deterministic=tested.get('deterministic'),
        protocol=tested['protocol'],
        splits=tested['splits'],
    )


def merge_results(results: Sequence[dict]) -> dict:
    """The runs of one sweep that were done in parts, such as on several machines.

    A run that two parts have in common must have the same numbers in both.
    """
    merged = {**results[0], 'runs': []}
    known = {}
    for result in results:
        for key in ('sweep', 'options', 'columns'):
            if result[key] != merged[key]:
                raise UserError(f'{key} differs: {merged[key]} and {result[key]}')
        packages = (one['environment']['packages'] for one in (merged, result))
        if changed := differences(*packages):
            raise UserError(f'the parts were done with different packages: {changed[0]}')
        for run in result['runs']:
            name = run['variant'], run['seed']
            if known.setdefault(name, run) != run:
                raise UserError(f'{name[0]}, seed {name[1]}: two runs with different results')
    variants = list(dict.fromkeys(name for name, _ in known))
    order = sorted(known, key=lambda name: (name[1], variants.index(name[0])))
    merged['runs'] = [known[name] for name in order]
    return merged
