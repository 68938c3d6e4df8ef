"""The three stages in a row: classify, label, segment; then a table and pictures."""

import json
from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from mmsmoke.utils import UserError, write_json
from mmsmoke.visualization import markdown_table

from .environment import environment
from .launch import load_config
from .report import draw_examples, summary_rows
from .stages import (
    RESULTS,
    begin,
    exclusive,
    label_settings,
    run_tool,
    say,
    train_and_test,
    write_config,
)
from .threshold import with_threshold


def run_pipeline(
    config: str | Path, work_dir: str | None = None, options: Mapping | None = None
) -> dict:
    """Runs a pipeline config, or goes on with it: finished stages and images are kept.

    A pipeline config has ``data_root`` and for each of the stages ``classify``, ``label`` and
    ``segment`` a dict with ``config`` and, if wanted, ``options`` (changes to that config);
    with ``start_from_classifier=True`` in the last, the segmenter's backbone begins with the
    classifier's weights, for want of pretrained ones.
    ``draw`` (arguments of the Smokestack converter) makes the data where they are missing.
    ``threshold_split`` and ``test_splits`` say where thresholds are chosen and what is tested.

    Returns:
        What it also writes to ``work_dir/results.json``.
    """
    plan = load_config(config, work_dir, options)
    folder = Path(plan.work_dir)
    configs = {stage: _stage_config(plan, stage) for stage in ('classify', 'label', 'segment')}
    splits = [plan.threshold_split, *plan.test_splits]
    with exclusive(folder):
        _heading(1, 'data', plan.data_root)
        draw_if_missing(plan.data_root, plan.get('draw'))
        _check_data(configs['classify'], [*splits, plan.picture_split], plan.picture_split)

        _heading(2, 'classify', 'image-level labels -> classifier')
        classifier = train_and_test(
            configs['classify'], folder / 'classify', splits, plan.threshold_split
        )

        _heading(3, 'label', 'classifier -> pseudo masks')
        manifest = label(configs['label'], folder / 'label', classifier, plan.threshold_split)

        _heading(4, 'segment', 'pseudo masks -> segmenter')
        cfg = configs['segment']
        cfg.train_dataloader.dataset.seg_map_dir = str(folder / 'label' / 'masks')
        if plan.segment.get('start_from_classifier'):
            cfg.model.backbone.init_cfg = dict(
                type='Pretrained', checkpoint=classifier['checkpoint']['path'], prefix='backbone'
            )
        segmentor = train_and_test(cfg, folder / 'segment', splits)

        _heading(5, 'report', str(folder))
        result = dict(
            pipeline=str(config),
            data_root=plan.data_root,
            classify=classifier,
            label={key: manifest[key] for key in ('split', 'protocol', 'metrics')},
            segment=segmentor,
            environment=environment(),
        )
        write_json(folder / RESULTS, result)
        threshold = classifier['protocol']['threshold']
        if threshold is None:
            threshold = manifest['protocol']['threshold']
        picture = draw_examples(folder, classifier, segmentor, threshold, plan.picture_split)
        say(f'\n{markdown_table(*summary_rows(result))}\n')
        say(f'numbers   {folder / RESULTS}\npictures  {picture}')
    return result


def _check_data(cfg: Config, splits: list[str], picture_split: str) -> None:
    """Whatever can be known to be wrong with the data is said before anything is trained."""
    settings = {**cfg.test_dataloader.dataset, 'split': sorted(set(splits))}
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        DATASETS.build(cfg.train_dataloader.dataset)
        tested = DATASETS.build(settings)
    rows = [tested.get_data_info(index) for index in range(len(tested))]
    if not any(row['gt_label'] for row in rows if row['columns']['split'] == picture_split):
        raise UserError(f'picture_split {picture_split!r} has no positive image to show')


def draw_if_missing(data_root: str, draw: dict | None) -> None:
    if draw is not None:
        # a lock beside the data: whoever else needs them, of whatever run, waits until all is there
        options = [f'--{name.replace("_", "-")}={value}' for name, value in draw.items()]
        with exclusive(Path(data_root).parent / '.locks' / Path(data_root).name, wait=True):
            run_tool('dataset_converters/smokestack.py', data_root, *options)
    elif not (Path(data_root) / 'labels.csv').is_file():
        raise UserError(
            f'{data_root}/labels.csv not found; say --cfg-options data_root=FOLDER, '
            'or make the data set with a tool of tools/dataset_converters/'
        )


def _stage_config(plan: Config, stage: str) -> Config:
    options = {'data_root': plan.data_root, **plan[stage].get('options', {})}
    return load_config(plan[stage].config, options=options)


def label(cfg: Config, folder: Path, classifier: dict, threshold_split: str) -> dict:
    """Stage 2 in its folder; returns the manifest."""
    protocol, checkpoint = classifier['protocol'], classifier['checkpoint']
    hook = next(h for h in cfg.custom_hooks if h['type'] == 'mmsmoke.PseudoLabelHook')
    if protocol['threshold'] is None:
        say('no true masks to choose a threshold by: it is as configured')
    else:
        hook.update(with_threshold(hook, **protocol))
    begin(folder, label_settings(cfg, checkpoint['sha256']))
    manifest = folder / 'manifest.json'
    if manifest.is_file():
        say(f'{folder} is finished')
        return json.loads(manifest.read_text())
    config = write_config(cfg, folder)
    where = [checkpoint['path'], '--work-dir', folder]
    if protocol['threshold'] is not None and len(cfg.custom_hooks) > 1:
        # refined scores have a threshold of their own
        chosen = folder / 'threshold.py'
        search = [config, *where, '--split', threshold_split, '--out', chosen]
        run_tool('search_threshold.py', *search, log=folder / 'search.log')
        config = chosen
    run_tool('make_pseudo_labels.py', config, *where, log=folder / 'label.log')
    return json.loads(manifest.read_text())


def _heading(number: int, name: str, what: str) -> None:
    say(f'\n== {number}/5 {name}: {what}')
