"""The three stages in a row: classify, label, segment; then a table and pictures."""

import json
from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config, ConfigDict

from mmsmoke.utils import UserError, sha256_of_file, write_json
from mmsmoke.visualization import markdown_table

from .environment import environment
from .launch import load_config
from .report import draw_examples, summary_rows
from .stages import RESULTS, begin, exclusive, run_tool, say, train_and_test, write_config


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
    with exclusive(folder):
        _heading(1, 'data', plan.data_root)
        draw_if_missing(plan.data_root, plan.get('draw'))

        _heading(2, 'classify', 'image-level labels -> classifier')
        splits = [plan.threshold_split, *plan.test_splits]
        classifier = train_and_test(
            _stage_config(plan, 'classify'), folder / 'classify', splits, plan.threshold_split
        )

        _heading(3, 'label', 'classifier -> pseudo masks')
        manifest = _label(plan, folder / 'label', classifier)

        _heading(4, 'segment', 'pseudo masks -> segmenter')
        cfg = _stage_config(plan, 'segment')
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
        picture = draw_examples(folder, classifier, segmentor, plan.picture_split)
        say(f'\n{markdown_table(*summary_rows(result))}\n')
        say(f'numbers   {folder / RESULTS}\npictures  {picture}')
    return result


def draw_if_missing(data_root: str, draw: dict | None) -> None:
    if draw is not None:
        options = [f'--{name.replace("_", "-")}={value}' for name, value in draw.items()]
        run_tool('dataset_converters/smokestack.py', data_root, *options)
    elif not (Path(data_root) / 'labels.csv').is_file():
        raise UserError(
            f'{data_root}/labels.csv not found; say --cfg-options data_root=FOLDER, '
            'or make the data set with a tool of tools/dataset_converters/'
        )


def _stage_config(plan: Config, stage: str) -> Config:
    options = {'data_root': plan.data_root, **plan[stage].get('options', {})}
    return load_config(plan[stage].config, options=options)


def _label(plan: Config, folder: Path, classifier: dict) -> dict:
    cfg = _stage_config(plan, 'label')
    hook: ConfigDict = cfg.custom_hooks[-1]
    hook.update(
        threshold=classifier['protocol']['threshold'],
        threshold_mode='dataset',
        threshold_split=plan.threshold_split,
    )
    checkpoint = classifier['checkpoint']
    settings = dict(
        config=cfg.to_dict(),
        checkpoint=checkpoint['sha256'],
        labels=sha256_of_file(Path(plan.data_root) / 'labels.csv'),
    )
    begin(folder, settings)
    manifest = folder / 'manifest.json'
    if manifest.is_file():
        say(f'{folder} is finished')
    else:
        arguments = [write_config(cfg, folder), checkpoint['path'], '--work-dir', folder]
        run_tool('make_pseudo_labels.py', *arguments, log=folder / 'label.log')
    return json.loads(manifest.read_text())


def _heading(number: int, name: str, what: str) -> None:
    say(f'\n== {number}/5 {name}: {what}')
