"""Measure how much a classifier leans on what comes together with its class."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.reports.sweep_tables import sweep_table
from mmsmoke.utils import UserError, sha256_of_file, write_json

from .engine import run_steps
from .executors import Executor
from .pipeline import draw_if_missing
from .run_records import made_with, run_record
from .screen import say
from .step import RESULTS, Step

PROTOCOL = 'configs/_base_/sweeps/companion.py'
EVALUATOR = 'configs/_base_/classify_runtime.py'
SCENES = dict(train=0, val=300, test=300, pairs=200)
"""All classifiers are tested on the same."""


def cooccurrence_benchmark(
    config: str,
    checkpoints: Sequence[str],
    name: str,
    work_dir: str | Path,
    shares: Sequence[float] | None = None,
    size: int = 128,
    options: Mapping | None = None,
    others: Sequence[Mapping] = (),
    jobs: int = 1,
    executor: Executor | None = None,
) -> dict:
    """Test checkpoints of one classifier on exact pairs of scenes, which are drawn once.

    Args:
        config: of a classifier whose predictions carry CAMs; its test pipeline is used.
        checkpoints: that differ in the seed or in what they were trained on.
        name: of the method, for tables.
        shares: P(chimney | clear) of the training images of each checkpoint.
        size: side of the scenes in pixels.
        others: results to compare with; they must be of the same scenes and other methods.
        jobs, executor: how many steps are done at the same time, and where; see
            :func:`~mmsmoke.experiments.engine.run_steps`.

    Returns:
        A result like that of :func:`~mmsmoke.experiments.sweep.run_sweep`, whose runs also say
        where their own results are.
    """
    if shares is not None and len(shares) != len(checkpoints):
        raise UserError(f'{len(checkpoints)} checkpoints need as many shares, not {len(shares)}')
    for checkpoint in checkpoints:
        if not Path(checkpoint).is_file():
            raise UserError(f'checkpoint {checkpoint} not found')
    data_root = f'data/cooccurrence-{size}'
    cfg = _on_pairs(load_config(config, options=options), data_root)
    protocol = load_config(PROTOCOL).companion
    columns = [list(column) for column in protocol.columns]
    folder = Path(work_dir)
    titles = {share: f'{name}, {share:g}' for share in sorted(set(shares or ()))}
    variants = [titles.get(share, name) for share in shares or checkpoints]
    draw_if_missing(data_root, dict(preset='easy', size=size, **SCENES))
    labels = sha256_of_file(Path(data_root) / 'labels.csv')
    data = dict(data_root=data_root, labels_sha256=labels)  # the labels do not tell the size
    _require_comparable(others, variants, columns, data)
    tests = dict(splits=list(protocol.splits), threshold_split=protocol.threshold_split)

    def testing(checkpoint: str, _) -> dict:
        return dict(tests, config=cfg.copy(), checkpoint=checkpoint)

    steps = [
        Step(str(place), 'test', partial(testing, checkpoint), title=variant)
        for place, (variant, checkpoint) in enumerate(zip(variants, checkpoints, strict=True))
    ]
    tested = {step.name: one for step, one in run_steps(steps, folder, jobs, executor)}
    runs = []
    for variant, step in zip(variants, steps, strict=True):
        seed = sum(run['variant'] == variant for run in runs)
        where = str(folder / step.name / RESULTS)
        runs.append({**run_record(variant, seed, tested[step.name]), 'result': where})
    result = dict(
        cooccurrence=name,
        config=str(config),
        columns=columns,
        **made_with(runs),
    )
    if shares is not None:
        points = {f'{share:g}': title for share, title in titles.items()}
        result['curves'] = dict(x='P(chimney | clear) in training', lines={name: points})
    write_json(folder / f'{name}.json', result)
    say(f'\n{sweep_table(result)}\n\nnumbers   {folder / name}.json')
    return result


def _require_comparable(
    others: Sequence[Mapping], variants: Sequence[str], columns: list, data: dict
) -> None:
    taken = {*variants}
    for other in others:
        name = other.get('sweep') or other.get('cooccurrence') or 'one of the other files'
        if [list(column) for column in other.get('columns', ())] != columns:
            raise UserError(f'{name} has other columns; it cannot be compared')
        if any(run['data'] != data for run in other['runs']):
            raise UserError(f'{name} was tested on other scenes; is its --size the same?')
        own = {run['variant'] for run in other['runs']}
        if twice := own & taken:
            raise UserError(f'{name} has {twice.pop()!r}, too; take another --name')
        taken |= own


def _on_pairs(cfg: Config, data_root: str) -> Config:
    """Return the config with the drawn scenes as its test data, loaded by its own pipeline."""
    loader = cfg.get('test_dataloader')
    pipeline = loader and loader.dataset.get('pipeline')
    steps = [step['type'].split('.')[-1] for step in pipeline or ()]
    if 'LoadMask' not in steps:
        raise UserError(
            f'{cfg.filename}: the test pipeline loads no masks; see docs/cooccurrence.md'
        )
    if 'LoadContext' not in steps:
        pipeline.insert(steps.index('LoadMask') + 1, dict(type='mmsmoke.LoadContext'))
    loader.dataset = dict(
        type='mmsmoke.WeakSegDataset',
        data_root=data_root,
        split='val',
        test_mode=True,
        pipeline=pipeline,
    )
    cfg.test_evaluator = load_config(EVALUATOR).test_evaluator
    return cfg


def with_others(result: Mapping, others: Sequence[Mapping]) -> dict:
    """Return the result with runs and curves of others, such as those of our baselines."""
    merged = {**result, 'runs': list(result['runs'])}
    curves = [one['curves'] for one in (*others, result) if 'curves' in one]
    for other in others:
        merged['runs'] += other['runs']
    if curves:
        lines = {name: line for one in curves for name, line in one['lines'].items()}
        merged['curves'] = {**curves[0], 'lines': lines}
    return merged
