"""Check and complete a pipeline config before anything starts."""

from collections.abc import Collection, Mapping
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.utils import UserError
from mmsmoke.utils.thresholds import PER_CLASS

_STAGE = ('config', 'options', 'seed')
_LABELLING = ('refine', 'threshold', 'split', 'score_stride', 'options')
_STAGES = dict(
    pretrain=(*_STAGE, 'draw'),
    teach=(*_STAGE, 'masks'),
    classify=(*_STAGE, 'masks'),
    label=(*_LABELLING, 'seed'),
    segment=(*_STAGE, 'start_from_classifier'),
    self_training=(*_LABELLING, 'rounds', 'agreement', 'agree_with'),
    full=('options', 'seed'),
)
_OTHERS = (
    'seeds', 'data_root', 'size', 'draw', 'num_masks', 'mask_weight', 'threshold_split',
    'test_splits', 'picture_split',
)  # fmt: skip
_OF_EVERY_CONFIG = ('work_dir', 'launcher')


def load_plan(
    config: str | Path, work_dir: str | None = None, options: Mapping | None = None
) -> Config:
    """Read a pipeline config with its defaults; raise for unknown and for missing keys."""
    keys = (*_STAGES, *_OTHERS, *_OF_EVERY_CONFIG)
    plan = load_config(config, work_dir, options, keys=keys)
    _require_known(str(config), plan, keys)
    if 'classify' not in plan:
        raise UserError(f'{config} needs the stage classify')
    plan.setdefault('label', {})
    if plan.get('full') in (True, False):  # as the command line says it
        plan.full = {} if plan.full else None
    for stage, keys in _STAGES.items():
        if plan.get(stage) is None:
            plan.pop(stage, None)
        else:
            if not isinstance(plan[stage], Mapping):
                raise UserError(f'{config}: {stage} must be a dict')
            if 'config' in keys and 'config' not in plan[stage]:
                raise UserError(f'{config}: {stage} must be a dict with config')
            _require_known(f'{config}: {stage}', plan[stage], keys)
    plan.seeds = _listed(plan.get('seeds', 0), int, 'seeds')
    plan.test_splits = _listed(plan.get('test_splits', 'test'), str, 'test_splits')
    plan.setdefault('picture_split', plan.test_splits[0])
    plan.setdefault('threshold_split', None)
    if plan.label.get('threshold') == PER_CLASS and plan.threshold_split is None:
        raise UserError(f'{config}: label.threshold={PER_CLASS!r} needs a threshold_split')
    if plan.get('self_training', {}).get('threshold') == PER_CLASS:
        raise UserError(
            f'{config}: self_training.threshold is a number, or a dict with one for each class: '
            "a segmentor's probabilities have no threshold that is searched"
        )
    for stage in ('self_training', 'full'):
        if stage in plan and 'segment' not in plan:
            raise UserError(f'{stage} needs the stage segment')
    _check_masks(str(config), plan)
    return plan


def require_keys(file: str | Path, plan: Mapping, kind: str, keys: Collection[str]) -> None:
    """Raise for a file that is no plan of this kind, as it lacks keys that each of them has."""
    missing = [key for key in keys if key not in plan]
    if missing:
        raise UserError(f'{file} is no {kind}: it lacks {", ".join(missing)}')


def _check_masks(where: str, plan: Config) -> None:
    """Raise for what says that true masks are seen, and does not say which, or by whom."""
    number, again = plan.get('num_masks') or 0, plan.get('self_training', {})
    for name, value in (('num_masks', number), ('self_training.rounds', again.get('rounds', 0))):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise UserError(f'{where}: {name} must be a whole number, got {value!r}')
    classifiers = [name for name in ('teach', 'classify') if plan.get(name, {}).get('masks')]
    if classifiers and not number:
        raise UserError(f'{where}: {classifiers[0]} has masks=True: say how many, as num_masks=25')
    if number and not (classifiers or 'segment' in plan):
        raise UserError(
            f'{where}: nobody sees the {number} true masks: num_masks needs the stage segment, or '
            'classify=dict(masks=True)'
        )
    if plan.get('mask_weight') is not None and not number:
        raise UserError(f'{where}: mask_weight is of true masks: say how many, as num_masks=25')
    other = again.get('agree_with')
    if isinstance(other, Mapping):
        _require_known(f'{where}: self_training.agree_with', other, ('config', 'options'))
        if 'config' not in other:
            raise UserError(f'{where}: self_training.agree_with must have a config')
    if other and not again.get('rounds'):
        raise UserError(f'{where}: self_training.agree_with needs rounds, as rounds=1')
    if again.get('agreement') and again.get('agree_with'):
        raise UserError(
            f'{where}: self_training has agreement, with the masks before, and agree_with, with '
            'those of another segmentor: say one of them'
        )


def _require_known(where: str, node: Mapping, known: Collection[str]) -> None:
    unknown = sorted(set(node) - set(known))
    if unknown:
        raise UserError(f'{where} has no key {unknown[0]!r}; it may have {", ".join(known)}')


def _listed(value, kind: type, name: str) -> list:
    """Return a list of values; a single value may come without one."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(one, kind) for one in values):
        raise UserError(f'{name} must be a list of {kind.__name__}, got {value!r}')
    return values
