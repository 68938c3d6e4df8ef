"""Do the same training with several settings and seeds, for tables with a spread."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mmengine.config import Config

from mmsmoke.reports.sweep_tables import sweep_tables
from mmsmoke.utils import UserError, plain, read_json, write_json

from .derived import derived_step, path_of
from .engine import in_order, run_steps
from .executors import Executor
from .pipeline import draw_if_missing
from .run_records import (
    all_settings,
    how_to_read,
    known_runs,
    made_with,
    read_sweep,
    run_record,
)
from .screen import say
from .step import RESULTS, Step
from .tuning import tune
from .variants import MADE, choose_variants, configured_variant, filled, needs_of, variant_changes

ITSELF = ''
"""Among the inputs of a test, beside the names of variants: the training that is tested."""
MASKS = 'masks'
"""Among the splits of a run: the numbers of the pseudo masks that a segmentor has learned from."""


def run_sweep(
    sweep_file: str,
    work_dir: str | None = None,
    out: str | None = None,
    seeds: Sequence[int] | None = None,
    variants: Sequence[str] | None = None,
    options: Mapping | None = None,
    known: Sequence[str] = (),
    jobs: int = 1,
    executor: Executor | None = None,
    scale: str | None = None,
) -> dict:
    """Train and test every variant with every seed; finished runs are kept.

    Started twice at once, in the same work_dir, each process takes what no other has taken. Sweeps
    that share a work_dir share the runs that they have in common.

    A sweep file has ``config``, ``options`` (changes to it for all), ``variants`` (name ->
    changes; the key ``config`` names another config, ``'{best:NAME}'`` in a value stands for the
    best checkpoint of that variant with the same seed, others of its kind for what
    :mod:`mmsmoke.experiments.derived` says, ``'{best:WORK_DIR/NAME}'`` for that of a
    finished sweep whose work_dir lies beside this one's; a variant with ``trained_as=NAME`` is not
    trained, but tests the checkpoint of that one with more changes, or with ``retrain=METHOD`` with
    a head that was retrained, see :mod:`mmsmoke.experiments.retraining`, or ``choose``, the best of
    several; see :mod:`mmsmoke.experiments.heads`; one with ``best_of=METHOD`` has the settings
    that another sweep has found best, see :mod:`mmsmoke.experiments.tuning`), ``seeds``,
    ``splits``, ``threshold_split``, ``columns`` (what the table shows: title, split, metric) and,
    for drawn data, ``draw`` (data_root -> arguments of the Smokestack converter). ``configs`` (name
    -> config) gives configs short names, so that a sweep that inherits may swap them. For the
    tables it may have ``rows`` (the variants that are shown), ``baseline`` (the one that the others
    are compared with), ``claims`` and ``curves``; see :mod:`mmsmoke.reports.sweep_tables`.
    ``scales`` (name -> changes to the sweep itself) describe the same with other networks and
    sizes.

    Args:
        out: JSON file for the results, written anew after each run.
        seeds: instead of those of the file.
        variants: only these, and those that they start from.
        options: more changes to every config, which have the last word.
        known: result files of this sweep or others, as from another machine. Their runs are taken
            over; one is trained again only where another starts from its checkpoint.
        jobs, executor: how many steps are done at the same time, and where; see
            :func:`~mmsmoke.experiments.engine.run_steps`.
        scale: one of the file's ``scales``.

    Returns:
        The results of all runs; see :func:`~mmsmoke.reports.sweep_tables.sweep_tables`.
    """
    sweep = read_sweep(sweep_file, scale, work_dir)
    tune(sweep, variants)
    sweep.seeds = seeds or sweep.seeds
    whole = sweep.variants
    sweep.variants = choose_variants(whole, variants)
    sweep.last_word = dict(options or {})
    folder = Path(sweep.work_dir)
    name = Path(sweep_file).stem + (f'-{scale}' if scale else '')
    out = Path(out) if out else folder / f'{name}.json'
    wanted = str([sweep.get(key) for key in ('data_root', 'options', 'variants', 'last_word')])
    wanted += str(whole) if known else ''  # known runs of any variant are known by their data
    for data_root, arguments in sweep.get('draw', {}).items():
        if data_root in wanted:
            draw_if_missing(data_root, arguments)
    if not (sweep.seeds and sweep.variants):
        raise UserError(f'{sweep_file} has no seeds or no variants')
    needs = needs_of(sweep.variants, sweep.seeds)
    runs = known_runs(sweep_file, sweep, whole, known, out)
    if runs:
        say(f'{len(runs)} runs are known from {", ".join(map(str, known))}')
        write_json(out, result := _result(sweep_file, sweep, whole, runs))
    todo = [key for key in needs if key not in runs]
    settings = all_settings(sweep, needs) if todo else {}
    steps = steps_of(sweep, folder, needs)
    keys = {steps[key].name: key for key in todo}
    wanted, of_masks = [steps[key] for key in todo], {}
    for step, found in run_steps(wanted, folder, jobs, executor):
        if step.kind == 'label':
            of_masks[step.name] = found['metrics']
        if step.name in keys:
            name, seed = keys[step.name]
            record = run_record(name, seed, found) | dict(settings=settings[name, seed])
            for kind, made in step.inputs[ITSELF].inputs.items():
                if kind.startswith('masks:'):
                    record['splits'][MASKS] = of_masks[made.name]
            runs[name, seed] = record
            write_json(out, result := _result(sweep_file, sweep, whole, runs))
    say(f'\n{sweep_tables(result)}\n\nnumbers   {out}')
    return result


def sweep_steps(
    sweep_file: str,
    work_dir: str | None = None,
    variants: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    scale: str | None = None,
) -> tuple[Path, dict[str, list[Step]]]:
    """Return the folder of a sweep and the steps that make the checkpoints of each variant."""
    sweep = read_sweep(sweep_file, scale, work_dir)
    sweep.last_word = {}
    tune(sweep, variants)
    chosen = choose_variants(sweep.variants, variants)
    whole, sweep.variants = sweep.variants, chosen
    steps = steps_of(sweep, Path(sweep.work_dir), needs_of(chosen, seeds or sweep.seeds))
    names = list(whole if variants is None else variants)
    by_name = {
        name: [tested.inputs[ITSELF] for (key, _), tested in steps.items() if key == name]
        for name in names
    }
    return Path(sweep.work_dir), by_name


def steps_of(sweep: Config, folder: Path, needs: Mapping) -> dict[tuple[str, int], Step]:
    """Return the step that tests each run; another trains it, unless it is trained as another."""
    trained, tested, makers, made = {}, {}, {}, {}

    def derived(kind: str, other: str, seed: int, argument: str) -> Step:
        configured, before = makers[other, seed]
        inputs = {**before, ITSELF: trained[other, seed]}
        place = f'{other}/seed-{seed}'
        one = derived_step(kind, place, argument, configured, inputs, ITSELF, sweep)
        return made.setdefault(one.name, one)  # maps and masks are of one label run

    for name, seed in in_order(needs, '{0[0]}-seed-{0[1]}'.format):
        inputs = {other: trained[other, at] for other, at in needs[name, seed]}
        for kind, other, argument in MADE.findall(str(variant_changes(sweep.variants, name))):
            if kind != 'best':
                inputs[f'{kind}:{other}:{argument}'] = derived(kind, other, seed, argument)
        configured = partial(_filled_config, sweep, folder, name, seed, inputs)
        makers[name, seed] = configured, inputs
        run, base = f'{name}/seed-{seed}', sweep.variants[name].get('trained_as')
        if base is None:
            title = f'{name}, seed {seed}'
            one = Step(run, 'train', partial(_training, configured), inputs, title)
            trained[name, seed], title = one, ''
        elif method := sweep.variants[name].get('retrain'):
            one, title = derived('head', base, seed, method), f'{name}, seed {seed}: a new head'
            trained[name, seed] = one
        else:
            one, title = trained[base, seed], f'{name}, seed {seed}: {base} again'
        arguments = partial(_testing, configured, sweep.splits, sweep.threshold_split)
        inputs = {**inputs, ITSELF: one}
        tested[name, seed] = Step(f'{run}/test', 'test', arguments, inputs, title)
    return tested


def _training(configured: Callable[[Mapping], Config], found: Mapping) -> dict:
    return dict(config=configured(found))


def _testing(
    configured: Callable[[Mapping], Config],
    splits: Sequence[str],
    threshold_split: str | None,
    found: Mapping,
) -> dict:
    return dict(
        config=configured(found),
        checkpoint=found[ITSELF]['checkpoint']['path'],
        splits=list(splits),
        threshold_split=threshold_split,
    )


def _filled_config(
    sweep: Config,
    folder: Path,
    name: str,
    seed: int,
    inputs: Mapping[str, Step],
    found: Mapping,
) -> Config:
    """Return the config of a run, with the checkpoints that it starts from.

    Args:
        folder: of the sweep; other sweeps lie beside it.
        inputs: steps that the run needs, of which ``found`` has the results.
    """

    def fill(match: re.Match) -> str:
        kind, other, argument = match.groups()
        key = other if kind == 'best' else f'{kind}:{other}:{argument}'
        if key in found:
            return path_of(kind, inputs[key], found[key], folder)
        run = folder.parent / other / f'seed-{seed}'
        if not (run / RESULTS).is_file():
            raise UserError(f'variant {name} starts from {run}, which is not finished')
        return read_json(run / RESULTS)['checkpoint']['path']

    changes = filled(variant_changes(sweep.variants, name), fill)
    return configured_variant(sweep, changes, seed)


def _result(sweep_file: str, sweep: Config, whole: Mapping, runs: Mapping) -> dict:
    order = list(whole)
    ordered = sorted(runs, key=lambda key: (key[1], order.index(key[0])))
    return dict(
        sweep=str(sweep_file),
        **({'scale': sweep.scale} if sweep.scale else {}),
        command=_command(sweep_file, sweep),
        options=plain(sweep.last_word),
        columns=[list(column) for column in sweep.columns],
        **how_to_read(sweep),
        **({'chosen': sweep.chosen} if sweep.chosen else {}),
        **made_with([runs[key] for key in ordered]),
    )


def _command(sweep_file: str, sweep: Config) -> str:
    changes = ' '.join(f'{key}={value}' for key, value in sweep.last_word.items())
    scale = f' --scale {sweep.scale}' if sweep.scale else ''
    options = f' --cfg-options {changes}' if changes else ''
    return f'python tools/sweep.py {sweep_file}{scale}{options}'
