"""What each way of refining CAMs makes of the maps of given classifiers, with chosen thresholds."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS

from mmsmoke.engine import latest_checkpoint
from mmsmoke.utils import UserError, mappings, plain, sha256_of_file, write_json
from mmsmoke.utils.locks import exclusive
from mmsmoke.visualization import markdown_table

from .environment import checkpoint_record, environment
from .launch import load_config
from .pipeline import draw_if_missing
from .predictor import scope_of
from .sheets import draw_masks
from .stages import RESULTS, begin, label_settings, run_tool, say, write_config
from .sweep_tables import sweep_tables

FIXED = 0.3
_TRAINED = re.compile(r'\{(\w+)\}')
COLUMNS = dict(
    fixed=f'threshold {FIXED}', dataset='threshold from val', otsu='Otsu', oracle='oracle'
)


def compare_refiners(
    plan_file: str,
    classifiers: Mapping[str, str],
    work_dir: str | None = None,
    out: str | None = None,
    rows: Sequence[str] | None = None,
    options: Mapping | None = None,
) -> dict:
    """Labels a validation and a test split by every row of a plan with every classifier.

    A plan has ``config`` (of a label run), ``options`` (changes to it for all), ``rows`` (name ->
    ``refiners``, the hooks before the PseudoLabelHook; ``options``; ``config``, another label
    run), ``threshold_split``, ``test_split`` and, for drawn data, ``draw`` (data_root ->
    arguments of the Smokestack converter). Where a refiner's ``checkpoint`` is ``'{NAME}'``, a
    network is trained for each classifier on labels that it made of the training split:
    ``trained`` has, by name, ``config`` (of that training) and ``labels`` (the hooks that make
    them; ``options`` as in rows). With ``baseline`` (a row) the classifiers count as seeds of one
    method, and there may be ``claims``; see :mod:`mmsmoke.apis.sweep_tables`.

    Finished rows are kept. Rows that need a file of weights that is not there are left out, unless
    ``rows`` names them.

    Args:
        classifiers: name -> checkpoint.
        out: JSON file for the results, written anew after each row; beside it, a picture for each
            classifier shows what the rows make of some test images.
        rows: only these.
        options: more changes to every config, which have the last word.
    """
    plan = load_config(plan_file, work_dir)
    folder = Path(plan.work_dir)
    unknown = set(rows or ()) - set(plan.rows)
    if unknown:
        raise UserError(f'{plan_file} has no row {sorted(unknown)[0]!r}, but {list(plan.rows)}')
    for name, checkpoint in classifiers.items():
        if not Path(checkpoint).is_file():
            raise UserError(f'{checkpoint}, the checkpoint of {name!r}, not found')
    rows = rows or [name for name in plan.rows if _weights_are_there(plan, name)]
    if not rows:
        raise UserError(f'{plan_file}: no row can be run without its weights')
    for name in rows:
        hooks = plan.rows[name].get('refiners', ())
        if 'config' in plan.rows[name] and any(map(_trained_name, hooks)):
            raise UserError(
                f'row {name!r} has a config of its own, and its refiners would be trained on '
                "labels of the plan's; make it a plan of its own"
            )
    first = row_config(plan, rows[0], options)
    drawn = plan.get('draw', {})
    for data_root in {*drawn, first.test_dataloader.dataset.data_root}:
        draw_if_missing(data_root, drawn.get(data_root))
    result = dict(
        refinement=str(plan_file),
        protocol={name: plan[name] for name in ('threshold_split', 'test_split')},
        **{name: plain(plan[name]) for name in ('baseline', 'claims') if name in plan},
        checkpoints={name: checkpoint_record(path) for name, path in classifiers.items()},
        rows={},
        environment=environment(),
    )
    out = Path(out) if out else folder / f'{Path(plan_file).stem}.json'
    with exclusive(folder):
        for name in rows:
            for classifier, checkpoint in classifiers.items():
                say(f'\n== {name}, {classifier}')
                cfg = row_config(plan, name, options)
                place = folder / classifier
                for hook in cfg.custom_hooks:
                    trained = _trained_name(hook)
                    if trained:
                        hook.checkpoint = _train(plan, trained, checkpoint, place, options)
                numbers = _measure(plan, cfg, checkpoint, place / _slug(name))
                result['rows'].setdefault(name, {})[classifier] = numbers
                write_json(out, result)
        with scope_of(first):
            dataset = DATASETS.build({**first.test_dataloader.dataset, 'split': plan.test_split})
        for classifier in classifiers:
            picture = out.with_name(f'{out.stem}_{classifier}.png')
            named = {
                name: folder / classifier / _slug(name) / 'test/masks' for name in result['rows']
            }
            draw_masks(picture, dataset, named)
    say(f'\n{refinement_table(result)}\n\nnumbers   {out}')
    return result


def refinement_table(result: dict) -> str:
    """IoU of each row and classifier: the mean over the images of the test split.

    With a baseline: the mean and spread over the classifiers, as those of a sweep over seeds.
    """
    if 'baseline' in result:
        return sweep_tables(_as_sweep(result))
    classifiers = list(dict.fromkeys(name for row in result['rows'].values() for name in row))
    heads = [f'{name}, {title}' for name in classifiers for title in COLUMNS.values()]
    lines = [
        [row, *[_cell(found.get(name, {}).get(key)) for name in classifiers for key in COLUMNS]]
        for row, found in result['rows'].items()
    ]
    return markdown_table(['refinement', *heads], lines)


def _as_sweep(result: dict) -> dict:
    split = result['protocol']['test_split']
    runs = [
        dict(variant=row, seed=classifier, splits={split: numbers})
        for row, found in result['rows'].items()
        for classifier, numbers in found.items()
    ]
    columns = [[title, split, key] for key, title in COLUMNS.items()]
    return {**result, 'columns': columns, 'runs': runs}


def _cell(value: float | None) -> str:
    return '' if value is None else f'{value:.1f}'


def _slug(name: str) -> str:
    return ''.join(letter if letter.isalnum() else '-' for letter in name)


def _trained_name(hook: Mapping) -> str | None:
    """Of the network that the plan trains for this refiner, if it does."""
    found = _TRAINED.fullmatch(str(hook.get('checkpoint')))
    return found and found[1]


def _weights_are_there(plan: Config, row: str) -> bool:
    for node in mappings(plan.rows[row].get('refiners', ())):
        file = node.get('checkpoint')
        if file and not _trained_name(node) and not Path(file).is_file():
            say(f'row {row!r} is left out: {file} not found')
            return False
    return True


def row_config(plan: Config, name: str, options: Mapping | None = None) -> Config:
    """The label run of a row."""
    row = plan.rows[name]
    config, refiners = row.get('config', plan.config), row.get('refiners', ())
    return _label_run(plan, config, refiners, row.get('options', {}), options)


def _label_run(
    plan: Config, config: str, hooks: Sequence, changes: Mapping, last_word: Mapping | None
) -> Config:
    changes = {**plan.get('options', {}), **changes, **(last_word or {})}
    cfg = load_config(config, options=copy.deepcopy(changes))
    cfg.custom_hooks = [*copy.deepcopy(list(hooks)), cfg.custom_hooks[-1]]
    return cfg


def _train(plan: Config, name: str, checkpoint: str, place: Path, options: Mapping | None) -> str:
    """Trains a network on labels from a classifier; returns its checkpoint."""
    recipe, folder = plan.trained[name], place / name
    label = _label_run(plan, plan.config, recipe.labels, recipe.get('options', {}), options)
    dataset = label.test_dataloader.dataset
    dataset.split = 'train'
    train = load_config(recipe.config, options=dict(data_root=dataset.data_root))
    train.train_dataloader.dataset.seg_map_dir = str(folder / 'labels' / 'masks')
    settings = dict(
        label=label.to_dict(), train=train.to_dict(), checkpoint=sha256_of_file(checkpoint)
    )
    done = begin(folder, settings)
    if not done:
        labels = folder / 'labels'
        run_tool(
            *('make_pseudo_labels.py', write_config(label, labels), checkpoint),
            *('--work-dir', labels),
            log=folder / 'labels.log',
        )
        run_tool(
            *('train.py', write_config(train, folder), '--work-dir', folder, '--resume'),
            log=folder / 'train.log',
        )
        done = dict(checkpoint=str(latest_checkpoint(folder)))
        write_json(folder / RESULTS, done)
    return done['checkpoint']


def _measure(plan: Config, cfg: Config, checkpoint: str, folder: Path) -> dict:
    splits = [plan.threshold_split, plan.test_split]
    settings = dict(**label_settings(cfg, sha256_of_file(checkpoint), splits), splits=splits)
    done = begin(folder, settings)
    if done:
        say(f'{folder} is finished')
        return done
    chosen = folder / 'threshold.py'
    run_tool(
        *('search_threshold.py', write_config(cfg, folder), checkpoint, '--work-dir', folder),
        *('--split', plan.threshold_split, '--out', chosen),
        log=folder / 'search.log',
    )
    found = json.loads(chosen.with_suffix('.json').read_text())
    otsu = found['metrics']['otsu/threshold']
    cfg = load_config(chosen)
    cfg.test_dataloader.dataset.split = plan.test_split
    for prefix, threshold in (('fixed', FIXED), ('otsu', otsu)):
        metric = dict(type='mmsmoke.PseudoLabelMetric', threshold=threshold, prefix=prefix)
        cfg.test_evaluator.append(metric)
    test = folder / 'test'
    run_tool(
        *('make_pseudo_labels.py', write_config(cfg, test), checkpoint, '--work-dir', test),
        log=folder / 'test.log',
    )
    metrics = json.loads((test / 'manifest.json').read_text())['metrics']
    numbers = dict(
        fixed=metrics['fixed/image_iou'],
        dataset=metrics['cam/image_iou'],
        otsu=metrics['otsu/image_iou'],
        oracle=metrics['cam/image_iou_oracle'],
        threshold=found['threshold'],
        otsu_threshold=otsu,
        on_threshold_split=found['metrics']['cam/image_iou'],
    )
    write_json(folder / RESULTS, numbers)
    return numbers
