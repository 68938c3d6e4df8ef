"""Chooses the threshold of a label run, whatever refiners it has, in one pass over a split."""

import copy
from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine import PseudoLabelHook
from mmsmoke.engine.launch import trained_runner
from mmsmoke.utils import UserError, plain_numbers, read_json
from mmsmoke.utils.environment import checkpoint_record


def search_threshold(
    cfg: Config, checkpoint: str | Path, split: str, criterion: str = 'image_iou'
) -> dict:
    """Labels a split as the config would, and finds the threshold that suits its scores best.

    Args:
        cfg: of a label run.
        split: a validation split, with true masks; for ``otsu`` any split.
        criterion: ``image_iou``: the best mean IoU against the true masks, the lowest of equals;
            ``otsu``: by the scores alone, see :class:`~mmsmoke.evaluation.OtsuThreshold`.

    Returns:
        ``threshold``; ``hook``: what it changes in the PseudoLabelHook; ``stages``: the threshold
        of each stage, for ``image_iou``; ``metrics`` of the run; ``config`` and ``checkpoint``.
    """
    cfg = copy.deepcopy(cfg)
    cfg.test_dataloader.dataset.split = split
    cfg.work_dir = str(Path(cfg.work_dir) / f'threshold_{split}')
    for metric in cfg.test_evaluator:
        if 'prefix' not in metric:
            for name in ('threshold', 'thresholds'):
                metric.pop(name, None)
    cfg.test_evaluator.append(dict(type='mmsmoke.OtsuThreshold'))
    metrics = plain_numbers(trained_runner(cfg, checkpoint).test())
    name = 'otsu/threshold' if criterion == 'otsu' else 'cam/threshold'
    if name not in metrics:
        raise UserError(
            f'{cfg.test_dataloader.dataset.data_root}: no image with a class '
            f'has a true mask in split {split!r}; take --criterion otsu, which needs none'
            if criterion == 'image_iou'
            else f'{cfg.test_dataloader.dataset.data_root}: no image of {split!r} has a class'
        )
    stages = {
        key.removeprefix('refine/').removesuffix('_threshold'): value
        for key, value in metrics.items()
        if key.startswith('refine/') and key.endswith('_threshold')
    }
    mode = 'dataset' if criterion == 'image_iou' else criterion
    return dict(
        threshold=metrics[name],
        hook=with_threshold(cfg.custom_hooks[-1], metrics[name], mode, split),
        stages=stages if criterion == 'image_iou' else {},
        metrics=metrics,
        config=cfg.filename,
        checkpoint=checkpoint_record(checkpoint),
    )


def with_threshold(
    hook: Mapping, threshold: float, threshold_mode: str, threshold_split: str | None
) -> dict:
    """Return the changes to a PseudoLabelHook that give it a threshold that was found.

    Where the hook ignores a band below its threshold, the band's lower edge moves in proportion.
    """
    changes = dict(
        threshold=threshold,
        threshold_mode=threshold_mode,
        threshold_split=threshold_split,
        background_power=None,
    )
    if hook.get('ignore_above'):
        old = built_hook(hook)
        changes['ignore_above'] = round(old.ignore_above / old.threshold * threshold, 4)
    return changes


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
