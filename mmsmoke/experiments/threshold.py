"""Choose the threshold of a label run, whatever refiners it has, in one pass over a split."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine import PseudoLabelHook
from mmsmoke.engine.launch import trained_runner
from mmsmoke.utils import UserError, plain_numbers, read_json
from mmsmoke.utils.environment import checkpoint_record
from mmsmoke.utils.thresholds import PER_CLASS, Threshold, Value, scaled


def search_threshold(
    cfg: Config, checkpoint: str | Path, split: str, criterion: str = 'image_iou'
) -> dict:
    """Label a split as the config would, and find the threshold that suits its scores best.

    Args:
        cfg: of a label run.
        split: a validation split, with true masks; for ``otsu`` any split.
        criterion: ``image_iou``: the best mean IoU against the true masks, the lowest of equals;
            ``per_class``: a threshold for each class, the best for its own IoU, see
            :class:`~mmsmoke.evaluation.ClassThresholds`; of a single class the same as before;
            ``otsu``: by the scores alone, see :class:`~mmsmoke.evaluation.OtsuThreshold`.

    Returns:
        ``threshold``, by name of the class for ``per_class``; ``hook``: what it changes in the
        PseudoLabelHook; ``stages``: the threshold of each stage, one for all classes, unless for
        ``otsu``; ``metrics`` of the run; ``config`` and ``checkpoint``.
    """
    cfg = copy.deepcopy(cfg)
    cfg.test_dataloader.dataset.split = split
    cfg.work_dir = str(Path(cfg.work_dir) / f'threshold_{split}')
    for metric in cfg.test_evaluator:
        if 'prefix' not in metric:
            for name in ('threshold', 'thresholds'):
                metric.pop(name, None)
    cfg.test_evaluator.append(dict(type='mmsmoke.OtsuThreshold'))
    if criterion == PER_CLASS:
        cfg.test_evaluator.append(dict(type='mmsmoke.ClassThresholds'))
    runner = trained_runner(cfg, checkpoint)
    metrics = plain_numbers(runner.test())
    root = cfg.test_dataloader.dataset.data_root
    name = 'otsu/threshold' if criterion == 'otsu' else 'cam/threshold'
    if name not in metrics:
        raise UserError(
            f'{root}: no image of {split!r} has a class'
            if criterion == 'otsu'
            else f'{root}: no image with a class has a true mask in split {split!r}; '
            'take --criterion otsu, which needs none'
        )
    threshold = Threshold(metrics[name], 'otsu' if criterion == 'otsu' else 'dataset', split)
    if criterion == PER_CLASS:
        classes = runner.test_dataloader.dataset.label_classes
        threshold = threshold_per_class(metrics, classes, split) or threshold
    stages = {
        key.removeprefix('refine/').removesuffix('_threshold'): value
        for key, value in metrics.items()
        if key.startswith('refine/') and key.endswith('_threshold')
    }
    return dict(
        threshold=threshold.protocol()['threshold'],
        hook=with_threshold(cfg.custom_hooks[-1], threshold),
        stages={} if criterion == 'otsu' else stages,
        metrics=metrics,
        config=cfg.filename,
        checkpoint=checkpoint_record(checkpoint),
    )


def threshold_per_class(
    metrics: Mapping[str, float], classes: Sequence[str], split: str
) -> Threshold | None:
    """Return what :class:`ClassThresholds` has found; None for a single class, that needs none."""
    if len(classes) == 1:
        return None
    found = {name: metrics.get(f'per_class/{name}') for name in classes}
    if None in found.values():
        missing = ', '.join(name for name, value in found.items() if value is None)
        raise UserError(
            f'no true mask of split {split!r} shows {missing}: no threshold can be chosen for it; '
            'take another split, or one threshold for all classes'
        )
    return Threshold(found, PER_CLASS, split)


def with_threshold(hook: Mapping, threshold: Threshold) -> dict:
    """Return the changes to a PseudoLabelHook that give it a threshold that was found.

    Where the hook ignores a band below its threshold, the band's lower edge moves in proportion.
    """
    changes = dict(**threshold.protocol(), background_power=None)
    if hook.get('ignore_above'):
        old = built_hook(hook)
        changes['ignore_above'] = _moved(old.ignore_above, old.threshold, threshold.value)
    return changes


def _moved(band: Value, old: Value, new: Value) -> Value:
    """Return the band's lower edge beside a new threshold; one that classes share if they did."""
    if isinstance(band, Mapping):
        shares = [band[name] / one for name, one in old.items() if one]
        return scaled(new, sum(shares) / max(1, len(shares)))
    return scaled(new, band / old)


def built_hook(hook: Mapping) -> PseudoLabelHook:
    """Build a PseudoLabelHook as a label run will; other settings may decide its threshold."""
    return PseudoLabelHook(**{key: value for key, value in hook.items() if key != 'type'})


def use_threshold(cfg: Config, found: Mapping) -> None:
    """Make a label run use the threshold that :func:`search_threshold` has found."""
    cfg.custom_hooks[-1].update(found['hook'])
    for metric in cfg.test_evaluator:
        if metric['type'] == 'mmsmoke.PseudoLabelMetric' and 'prefix' not in metric:
            metric['threshold'] = found['threshold']
        if metric['type'] == 'mmsmoke.RefinementMetric':
            metric['thresholds'] = dict(found['stages'])


def read_threshold(path: str | Path) -> dict:
    """Read what tools/search_threshold.py has written."""
    found = read_json(path)
    if not isinstance(found, dict) or not {'threshold', 'hook', 'stages'} <= set(found):
        raise UserError(f'{path} is no result of tools/search_threshold.py')
    return found
