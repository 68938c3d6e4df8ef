"""Compare what ways of refining CAMs make of given classifiers' maps, with chosen thresholds."""

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine.labelling import label_run
from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import build_test_data
from mmsmoke.reports.sheets import draw_masks
from mmsmoke.reports.sweep_tables import sweep_tables
from mmsmoke.utils import UserError, mappings, plain, write_json
from mmsmoke.utils.environment import checkpoint_record, environment
from mmsmoke.visualization import markdown_table

from .engine import run_steps
from .executors import Executor
from .pipeline import draw_if_missing
from .plan import require_keys
from .screen import say
from .step import Step

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
    jobs: int = 1,
    executor: Executor | None = None,
) -> dict:
    """Label a validation and a test split by every row of a plan with every classifier.

    A plan has ``config`` (of the classifiers), ``options`` (changes to it for all), ``rows`` (name
    -> ``refiners``, as :func:`~mmsmoke.engine.labelling.label_run` takes them; ``options``;
    ``config``, another one), ``threshold_split``, ``test_split`` and, for drawn data, ``draw``
    (data_root -> arguments of the Smokestack converter). Where a refiner's ``checkpoint`` is
    ``'{NAME}'``, a network is trained for each classifier on labels that it made of the training
    split: ``trained`` has, by name, ``config`` (of that training) and ``labels`` (the hooks that
    make them; ``options`` as in rows). With ``baseline`` (a row) the classifiers count as seeds of
    one method, and there may be ``claims``; see :mod:`mmsmoke.reports.sweep_tables`.

    Finished rows are kept. Rows that need a file of weights that is not there are left out, unless
    ``rows`` names them.

    Args:
        classifiers: name -> checkpoint.
        out: JSON file for the results, written anew after each row; beside it, a picture for each
            classifier shows what the rows make of some test images.
        rows: only these.
        options: more changes to every config, which have the last word.
        jobs, executor: how many steps are done at the same time, and where; see
            :func:`~mmsmoke.experiments.engine.run_steps`.
    """
    plan = load_config(plan_file, work_dir)
    require_keys(plan_file, plan, 'comparison', ('config', 'rows', 'threshold_split', 'test_split'))
    plan.last_word = dict(options or {})
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
    _check_rows(plan, rows)
    first = row_config(plan, rows[0])
    drawn = plan.get('draw', {})
    for data_root in {*drawn, first.test_dataloader.dataset.data_root}:
        draw_if_missing(data_root, drawn.get(data_root))
    dataset = build_test_data(first, split=plan.test_split)
    infos = map(dataset.get_data_info, range(len(dataset)))
    if not any(info['gt_label'] and 'seg_map_path' in info for info in infos):
        raise UserError(f'{dataset.data_root}: {plan.test_split!r} has no true masks to compare by')
    result = dict(
        refinement=str(plan_file),
        protocol={name: plan[name] for name in ('threshold_split', 'test_split')},
        **{name: plain(plan[name]) for name in ('baseline', 'claims') if name in plan},
        checkpoints={name: checkpoint_record(path) for name, path in classifiers.items()},
        rows={},
        environment=environment(),
    )
    out = Path(out) if out else folder / f'{Path(plan_file).stem}.json'
    steps = {
        (name, classifier): _step(plan, name, classifier, checkpoint)
        for name in rows
        for classifier, checkpoint in classifiers.items()
    }
    places = {step.name: place for place, step in steps.items()}
    numbers = {}
    for step, found in run_steps(steps.values(), folder, jobs, executor):
        if step.kind == 'search':
            numbers[step.name] = found
        elif step.name in places:
            name, classifier = places[step.name]
            searched = numbers[step.inputs['search'].name]
            result['rows'].setdefault(name, {})[classifier] = _numbers(searched, found)
            result['rows'] = {name: result['rows'][name] for name in rows if name in result['rows']}
            write_json(out, result)
    for classifier in classifiers:
        picture = out.with_name(f'{out.stem}_{classifier}.png')
        named = {name: folder / steps[name, classifier].name / 'masks' for name in result['rows']}
        draw_masks(picture, dataset, named)
    say(f'\n{refinement_table(result)}\n\nnumbers   {out}')
    return result


def refinement_table(result: dict) -> str:
    """Return the IoU of each row and classifier: the mean over the images of the test split.

    With a baseline: the mean and spread over the classifiers, as those of a sweep over seeds.
    """
    if 'baseline' in result:
        return sweep_tables(as_sweep(result))
    classifiers = list(dict.fromkeys(name for row in result['rows'].values() for name in row))
    heads = [f'{name}, {title}' for name in classifiers for title in COLUMNS.values()]
    lines = []
    for row, found in result['rows'].items():
        values = [found.get(name, {}).get(key) for name in classifiers for key in COLUMNS]
        lines.append([row, *('' if value is None else f'{value:.1f}' for value in values)])
    return markdown_table(['refinement', *heads], lines)


def as_sweep(result: dict) -> dict:
    """Return the result of a comparison as that of a sweep whose seeds are the classifiers.

    The result of a sweep stays as it is.
    """
    if 'refinement' not in result:
        return result
    split = result['protocol']['test_split']
    runs = [
        dict(variant=row, seed=classifier, splits={split: numbers})
        for row, found in result['rows'].items()
        for classifier, numbers in found.items()
    ]
    columns = [[title, split, key] for key, title in COLUMNS.items()]
    return {**result, 'columns': columns, 'runs': runs}


def _check_rows(plan: Config, rows: Sequence[str]) -> None:
    """Raise for rows that cannot be done, or not beside the others."""
    trained = plan.get('trained', {})
    owners = {name: f'the network {name!r}' for name in trained}
    for name in rows:
        networks = [*filter(None, map(_trained_name, plan.rows[name].get('refiners', ())))]
        if 'config' in plan.rows[name] and networks:
            raise UserError(
                f'row {name!r} has a config of its own, and its refiners would be trained on '
                "labels of the plan's; make it a plan of its own"
            )
        if unknown := {*networks} - {*trained}:
            raise UserError(f'row {name!r} needs {unknown.pop()!r}, which is not among trained')
        owner = owners.setdefault(_folder_of(name), f'row {name!r}')
        if owner != f'row {name!r}':
            raise UserError(f'row {name!r} and {owner} would share a folder: rename one')


def _folder_of(row: str) -> str:
    return re.sub(r'[\W_]', '-', row)


def _trained_name(hook: str | Mapping) -> str | None:
    """Return which network the plan trains for this refiner, if it does."""
    checkpoint = hook.get('checkpoint') if isinstance(hook, Mapping) else None
    found = _TRAINED.fullmatch(str(checkpoint))
    return found and found[1]


def _weights_are_there(plan: Config, row: str) -> bool:
    for node in mappings(plan.rows[row].get('refiners', ())):
        file = node.get('checkpoint')
        if file and not _trained_name(node) and not Path(file).is_file():
            say(f'row {row!r} is left out: {file} not found')
            return False
    return True


def row_config(plan: Config, name: str) -> Config:
    """Return the label run of a row."""
    row = plan.rows[name]
    return _label_run(plan, row, row.get('config', plan.config), row.get('refiners', ()))


def _label_run(plan: Config, recipe: Mapping, config: str, hooks: Sequence) -> Config:
    options = {**plan.get('options', {}), **recipe.get('options', {}), **plan.get('last_word', {})}
    return label_run(load_config(config, options=copy.deepcopy(options)), hooks)


def _step(plan: Config, name: str, classifier: str, checkpoint: str) -> Step:
    """Return the step that labels the test split by a row, with the threshold from another."""
    cfg = row_config(plan, name)
    trained = {
        network: _network(plan, network, classifier, checkpoint)
        for network in filter(None, map(_trained_name, cfg.custom_hooks))
    }

    def configured(found: Mapping, split: str) -> Config:
        ours = cfg.copy()
        ours.test_dataloader.dataset.split = split
        for hook in ours.custom_hooks:
            if network := _trained_name(hook):
                hook.checkpoint = found[network]['checkpoint']['path']
        return ours

    def searching(found: Mapping) -> dict:
        ours = configured(found, plan.threshold_split)
        return dict(config=ours, checkpoint=checkpoint, split=plan.threshold_split)

    def labelling(found: Mapping) -> dict:
        ours, otsu = configured(found, plan.test_split), found['search']['metrics']
        for prefix, threshold in (('fixed', FIXED), ('otsu', otsu['otsu/threshold'])):
            metric = dict(type='mmsmoke.PseudoLabelMetric', threshold=threshold, prefix=prefix)
            ours.test_evaluator.append(metric)
        return dict(config=ours, checkpoint=checkpoint, found=found['search'])

    place = f'{classifier}/{_folder_of(name)}'
    search = Step(place, 'search', searching, trained, f'{name}, {classifier}')
    return Step(f'{place}/test', 'label', labelling, {**trained, 'search': search})


def _network(plan: Config, name: str, classifier: str, checkpoint: str) -> Step:
    """Return the step that trains a network on labels from a classifier."""
    recipe, place = plan.trained[name], f'{classifier}/{name}'
    label = _label_run(plan, recipe, plan.config, recipe.labels)
    dataset = label.test_dataloader.dataset
    dataset.split = 'train'
    train = load_config(recipe.config, options=dict(data_root=dataset.data_root))
    masks = Path(plan.work_dir, place, 'labels', 'masks')
    train.train_dataloader.dataset.seg_map_dir = str(masks)

    def labelling(_) -> dict:
        return dict(config=label.copy(), checkpoint=checkpoint)

    labels = Step(f'{place}/labels', 'label', labelling, title=f'{name}, {classifier}')
    return Step(place, 'train', lambda _: dict(config=train.copy()), dict(labels=labels))


def _numbers(searched: Mapping, labelled: Mapping) -> dict:
    """Return what the table has of a row and classifier."""
    metrics = labelled['metrics']
    return dict(
        fixed=metrics['fixed/image_iou'],
        dataset=metrics['cam/image_iou'],
        otsu=metrics['otsu/image_iou'],
        oracle=metrics['cam/image_iou_oracle'],
        threshold=searched['threshold'],
        otsu_threshold=searched['metrics']['otsu/threshold'],
        on_threshold_split=searched['metrics']['cam/image_iou'],
    )
