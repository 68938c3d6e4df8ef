"""How much does a classifier lean on what comes together with its class?"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.utils import UserError, sha256_of_file, write_json

from .environment import environment
from .launch import load_config
from .pipeline import draw_if_missing
from .stages import RESULTS, begin, exclusive, run_tool, say, write_config
from .sweep_tables import sweep_table

PROTOCOL = 'configs/_base_/sweeps/companion.py'
METRICS = ('LabelAccuracy', 'PseudoLabelMetric', 'CompanionMetric', 'CounterfactualMetric')
SCENES = dict(train=0, val=300, test=300, pairs=200)
"""All classifiers are tested on the same."""


def cooccurrence_benchmark(
    config: str,
    checkpoints: Sequence[str],
    name: str,
    shares: Sequence[float] | None = None,
    size: int = 128,
    scenes: int = 200,
    work_dir: str | None = None,
    options: Mapping | None = None,
) -> dict:
    """Tests checkpoints of one classifier on exact pairs of scenes, which are drawn once.

    Args:
        config: of a classifier whose predictions carry CAMs; its test pipeline is used.
        checkpoints: that differ in the seed or in what they were trained on.
        name: of the method, for tables.
        shares: P(chimney | clear) of the training images of each checkpoint.
        size: side of the scenes in pixels.
        scenes: number of scenes of which there are pairs.

    Returns:
        A result like that of :func:`~mmsmoke.apis.sweep.run_sweep`, whose runs also say where
        their own results are.
    """
    if shares is not None and len(shares) != len(checkpoints):
        raise UserError(f'{len(checkpoints)} checkpoints need as many shares, not {len(shares)}')
    for checkpoint in checkpoints:
        if not Path(checkpoint).is_file():
            raise UserError(f'checkpoint {checkpoint} not found')
    data_root = f'data/smokestack-pairs-{size}'
    cfg = _on_pairs(load_config(config, options=options), data_root)
    protocol = load_config(PROTOCOL).companion
    folder = Path(work_dir or Path('work_dirs/cooccurrence') / name)
    with exclusive(Path(data_root).parent / '.locks' / Path(data_root).name, wait=True):
        number = dict(train=0, val=IMAGES, test=IMAGES, pairs=scenes)
        draw_if_missing(data_root, dict(preset='easy', size=size, **number))
    runs = []
    with exclusive(folder):
        for place, checkpoint in enumerate(checkpoints):
            variant = name if shares is None else f'{name}, {shares[place]:g}'
            seed = sum(run['variant'] == variant for run in runs)
            where = folder / str(place)
            tested = _test(cfg, checkpoint, where, protocol)
            runs.append(
                dict(
                    variant=variant,
                    seed=seed,
                    protocol=tested['protocol'],
                    splits=tested['splits'],
                    result=str(where / RESULTS),
                )
            )
    result = dict(
        cooccurrence=name,
        columns=[list(column) for column in protocol.columns],
        runs=runs,
        environment=environment(),
    )
    if shares is not None:
        result['curves'] = _curves(name, sorted(set(shares)))
    write_json(folder / f'{name}.json', result)
    say(f'\n{sweep_table(result)}\n\nnumbers   {folder / name}.json')
    return result


def _on_pairs(cfg: Config, data_root: str) -> Config:
    """The config with the drawn scenes as its test data, loaded by its own pipeline."""
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
    cfg.test_evaluator = [dict(type=f'mmsmoke.{metric}') for metric in METRICS]
    return cfg


def _test(cfg: Config, checkpoint: str, folder: Path, protocol: Config) -> dict:
    settings = dict(
        config=cfg.to_dict(),
        checkpoint=sha256_of_file(checkpoint),
        labels=sha256_of_file(Path(cfg.test_dataloader.dataset.data_root) / 'labels.csv'),
        splits=list(protocol.splits),
    )
    done = begin(folder, settings)
    if done:
        say(f'{folder} is finished')
        return done
    run_tool(
        *('test.py', write_config(cfg, folder), checkpoint, '--work-dir', folder / 'test'),
        *('--out', folder / RESULTS, '--splits', *protocol.splits),
        *('--threshold-split', protocol.threshold_split),
        log=folder / 'test.log',
    )
    return json.loads((folder / RESULTS).read_text())


def _curves(name: str, shares: Sequence[float]) -> dict:
    points = {f'{share:g}': f'{name}, {share:g}' for share in shares}
    return dict(x='P(chimney | clear) in training', lines={name: points})


def with_others(result: Mapping, others: Sequence[Mapping]) -> dict:
    """The result with runs and curves of other results, such as those of our baselines."""
    merged = {**result, 'runs': list(result['runs'])}
    lines = dict(result.get('curves', {}).get('lines', {}))
    for other in others:
        if [list(column) for column in other['columns']] != result['columns']:
            raise UserError('a result to compare with has other columns; was it made elsewhere?')
        own = {run['variant'] for run in merged['runs']}
        merged['runs'] += [run for run in other['runs'] if run['variant'] not in own]
        lines = {**other.get('curves', {}).get('lines', {}), **lines}
    if lines:
        curves = [one['curves'] for one in (result, *others) if 'curves' in one]
        merged['curves'] = dict(x=curves[0]['x'], lines=lines)
    return merged
