"""Keep runs of sweeps in result files, so that nobody has to do them again."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.datasets.table import TABLE, Row, choose_split, read_lines
from mmsmoke.engine.launch import load_config
from mmsmoke.utils import (
    UserError,
    checkpoint_hashes,
    differences,
    mappings,
    plain,
    read_json,
    sha256_of_file,
    sha256_of_folder,
)
from mmsmoke.utils.environment import environment
from mmsmoke.utils.options import RUN_KEYS

from .engine import in_order
from .plan import require_keys
from .screen import say
from .step import RESULTS
from .variants import MADE, configured_variant, named_by, needs_of, variant_changes

VERSION = 2
"""Numbers the way in which :func:`settings_hash` hashes; without a colon it is the first one."""
_OF_EVERY_SWEEP = ('config', 'variants', 'seeds', 'splits', 'threshold_split', 'columns')
HOW_TO_READ = ('rows', 'baseline', 'claims', 'curves')
_OF_THE_MACHINE = (
    'work_dir', 'launcher', 'log_level', 'env_cfg', 'visualizer', 'log_processor', 'load_from',
    'resume', 'size', 'data_root', 'plumes', 'num_masks', 'mask_seed', 'mask_weight',
    'custom_imports', 'tta_model', 'tta_pipeline',
)  # fmt: skip


def run_record(variant: str, seed: int, tested: Mapping) -> dict:
    """Return what a result keeps of a run.

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
        **({'true_masks': tested['true_masks']} if 'true_masks' in tested else {}),
        environment=tested['environment'],
    )


def made_with(runs: Sequence[Mapping]) -> dict:
    """Return ``runs`` and the first one's ``environment``, which only others that differ name."""
    first = runs[0]['environment'] if runs else environment()
    return dict(
        runs=[
            {key: value for key, value in run.items() if key != 'environment' or value != first}
            for run in runs
        ],
        environment=first,
    )


def with_environment(result: Mapping) -> list[dict]:
    """Return the runs of a result, each with its environment."""
    return [{'environment': result['environment'], **run} for run in result['runs']]


def read_sweep(
    sweep_file: str | Path, scale: str | None = None, work_dir: str | None = None
) -> Config:
    """Read a sweep file, at one of its ``scales``; it says which as ``scale``."""
    sweep = load_config(sweep_file)
    require_keys(sweep_file, sweep, 'sweep', _OF_EVERY_SWEEP)
    if scale is not None:
        scales = sweep.get('scales', {})
        if scale not in scales:
            raise UserError(f'{sweep_file} has no scale {scale!r}, but {list(scales)}')
        sweep.merge_from_dict(scales[scale])
    sweep.scale = scale
    if work_dir is not None:
        sweep.work_dir = str(work_dir)
    return sweep


def how_to_read(sweep: Config) -> dict:
    """Return what of a sweep file makes tables of its runs."""
    return {key: plain(sweep[key]) for key in HOW_TO_READ if key in sweep}


def settings_hash(
    cfg: Config, splits: Sequence[str], threshold_split: str | None, before: Iterable[str]
) -> str:
    """Hash all that decides the numbers of a training and its test, but the code and the machine.

    Of a config it is what a run reads, not what serves the file itself; of the data, what
    labels.csv says, and how scenes were drawn. Checkpoints that are yet to come are known by the
    runs that make them. What stands before the colon is the version of this description.

    Args:
        before: the same of the runs whose checkpoints this one starts from.
    """
    nodes = list(mappings(cfg._cfg_dict))
    roots = {node.get('data_root') for node in nodes}
    roots = sorted(root for root in roots if isinstance(root, str))
    files = [Path(root) / name for root in roots for name in ('labels.csv', 'source.json')]
    settings = dict(
        config=_read_by_runs(cfg),
        splits=list(splits),
        threshold_split=threshold_split,
        data=[sha256_of_file(file) if file.is_file() else None for file in files],
        checkpoints=checkpoint_hashes(cfg.get('model', {})),
        before=sorted(before),
    )
    seen = sorted({str(node['data_root']) for node in nodes if node.get('num_masks')})
    if seen:  # true masks are what is learned from
        folders = [Path(root) / 'masks' for root in seen]
        settings['true_masks'] = [sha256_of_folder(one) for one in folders if one.is_dir()]
    text = json.dumps(plain(settings), sort_keys=True)
    return f'{VERSION}:{hashlib.sha256(text.encode()).hexdigest()}'


def _read_by_runs(cfg: Config) -> dict:
    """Return the settings that decide numbers: neither where things lie nor what is shown."""
    keys = [key for key in RUN_KEYS if key in cfg and key not in _OF_THE_MACHINE]
    settings = Config({key: cfg[key] for key in keys}).to_dict()
    for node in mappings(settings):
        for key in ('num_workers', 'persistent_workers', 'pin_memory'):
            node.pop(key, None)
        if 'at_least' in node and not _are_repeated(node):
            del node['at_least']
    return settings


def _are_repeated(dataset: Mapping) -> bool:
    """Tell whether ``at_least`` changes a data set; False where its table is not there."""
    chosen = {'num_images', 'portion', 'filter_cfg'} & {*dataset}
    table = Path(dataset['data_root']) / TABLE
    if chosen or not table.is_file():
        return bool(chosen)
    rows = [row for row in read_lines(dataset['data_root'], ()) if isinstance(row, Row)]
    return len(choose_split(rows, dataset.get('split', 'train'))) < dataset['at_least']


def read_result(file: str | Path) -> dict:
    """Read what tools/sweep.py has written."""
    result = read_json(file)
    if not isinstance(result, Mapping) or 'sweep' not in result:
        raise UserError(f'{file} is no result of tools/sweep.py')
    return result


def read_known(files: Sequence[str | Path]) -> list[dict]:
    """Read the runs of result files of sweeps; each says ``from`` which, of what ``sweep``."""
    known = []
    for file in files:
        result = read_result(file)
        where = {'from': str(file), 'sweep': result['sweep']}
        known += [{**run, **where} for run in with_environment(result)]
    return known


def merge_results(results: Sequence[dict]) -> dict:
    """Merge the runs of one sweep that were done in parts, such as on several machines.

    A run that two parts have in common must have the same numbers in both. Baseline, claims and
    curves are those of the sweep file of today; runs of variants that it no longer has are left
    out.
    """
    first, known = results[0], {}
    for result in results:
        for key in ('sweep', 'scale', 'options', 'columns', 'chosen'):
            if result.get(key) != first.get(key):
                raise UserError(f'{key} differs: {first.get(key)} and {result.get(key)}')
        packages = (one['environment']['packages'] for one in (first, result))
        if changed := differences(*packages):
            raise UserError(f'the parts were done with different packages: {changed[0]}')
        for run in with_environment(result):
            name = run['variant'], run['seed']
            if _numbers(known.setdefault(name, run)) != _numbers(run):
                raise UserError(f'{name[0]}, seed {name[1]}: two runs with different results')
    sweep = read_sweep(first['sweep'], first.get('scale'))
    order = list(sweep.variants)
    names = sorted(
        (name for name in known if name[0] in order),
        key=lambda name: (name[1], order.index(name[0])),
    )
    kept = {k: v for k, v in first.items() if k not in (*HOW_TO_READ, 'runs', 'environment')}
    return {**kept, **how_to_read(sweep), **made_with([known[name] for name in names])}


def _numbers(run: Mapping) -> dict:
    return {key: value for key, value in run.items() if key not in ('environment', 'settings')}


def known_runs(
    sweep_file: str, sweep: Config, whole: Mapping, known: Sequence[str], out: Path
) -> dict[tuple[str, int], dict]:
    """Return all runs of the sweep, of whatever seed and variant, that the files know."""
    if not known:
        return {}
    found = read_known(known)
    seeds = sorted({*sweep.seeds, *(run['seed'] for run in found)})
    part = Config(dict(sweep._cfg_dict, variants=whole))
    settings = all_settings(part, needs_of(whole, seeds))
    same = defaultdict(list)
    for key, value in settings.items():
        same[value].append(key)
    runs, lost, old = {}, 0, 0
    for run in found:
        keys, name = same.get(run.get('settings'), []), (run['variant'], run['seed'])
        if not keys and _is_older(run, sweep_file) and name in settings:
            keys, old = [name], old + 1
        for key in keys:
            runs[key] = {**run, 'variant': key[0]}
        if not keys:
            lost += Path(run['from']).resolve() == out.resolve()
    if lost:
        raise UserError(
            f'{lost} runs of {out} have other settings than those of {sweep_file}, or are of an '
            'older version, and would be lost; name another file as --out'
        )
    if old:
        say(f'{old} of them are of an older version: nothing says whether their settings are these')
    return {
        key: {k: v for k, v in run.items() if k not in ('from', 'sweep')}
        for key, run in runs.items()
    }


def _is_older(run: Mapping, sweep_file: str) -> bool:
    """Tell whether a run of this sweep is of version 1, whose settings nobody can compare."""
    return ':' not in run.get('settings', ':') and run['sweep'] == str(sweep_file)


def all_settings(sweep: Config, needs: Mapping) -> dict[tuple[str, int], str]:
    """Return what identifies every run."""
    settings = {}
    for name, seed in in_order(needs, '{0[0]}-seed-{0[1]}'.format):
        cfg = configured_variant(sweep, plain(variant_changes(sweep.variants, name)), seed)
        before = [settings[other] for other in needs[name, seed]]
        before += _other_sweeps(sweep, name, seed)
        before += _making(sweep, name)
        if 'retrain' in sweep.variants[name]:
            before.append(f'head: {sweep.variants[name]["retrain"]}')
        settings[name, seed] = settings_hash(cfg, sweep.splits, sweep.threshold_split, before)
    return settings


def _other_sweeps(sweep: Config, name: str, seed: int) -> Iterator[str]:
    """Hash the checkpoints of other, finished sweeps that a variant starts from, if they exist."""
    for other in sorted(named_by(sweep.variants, name)):
        results = Path(sweep.work_dir).parent / other / f'seed-{seed}' / RESULTS
        if '/' in other and results.is_file():
            yield read_json(results).get('checkpoint', {}).get('sha256', '')


def _making(sweep: Config, name: str) -> Iterator[str]:
    """Yield how maps, masks and heads are made that a variant learns from, if not as usual."""
    kinds = {kind for kind, _, _ in MADE.findall(str(variant_changes(sweep.variants, name)))}
    heads = 'head' in kinds or 'retrain' in sweep.variants[name]
    for key, matters in (('labels', kinds & {'scores', 'masks'}), ('held_out', heads)):
        if matters and sweep.get(key):
            yield f'{key}: {json.dumps(plain(sweep[key]), sort_keys=True)}'
