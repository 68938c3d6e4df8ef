"""Test a checkpoint on splits of its data set, and say what is needed to do it again."""

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DATASETS
from mmengine.runner import Runner, TestLoop
from torch import nn

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.engine import RefinedTestLoop
from mmsmoke.engine.few_masks import seen_masks
from mmsmoke.engine.launch import trained_runner
from mmsmoke.inference.predictor import scope_of
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, plain_numbers, sha256_of_file
from mmsmoke.utils.environment import checkpoint_record, config_record, environment
from mmsmoke.utils.models import segmentor_threshold, unwrapped
from mmsmoke.utils.thresholds import Threshold, Value

from .threshold import threshold_per_class

_AT_THRESHOLD = ('PseudoLabelMetric', 'CompanionMetric', 'CounterfactualMetric')
_EVENTS_OF_MAPS = 'EventMetric', 'cams'


def evaluate_splits(
    cfg: Config,
    checkpoint: str | Path,
    splits: list[str],
    threshold_split: str | None = None,
    tta: bool = False,
    refine: Sequence[str | Mapping | Callable] = (),
    per_class: bool = False,
) -> dict:
    """Test one checkpoint on several splits of its data set.

    Args:
        cfg: of the model; its ``test_dataloader`` serves every split.
        threshold_split: the validation split on which the threshold of CAMs is chosen; it is
            tested first, and the other splits use its threshold. With None, each split uses the
            ``threshold`` of its metric in the config or, if that is None, the best on itself.
        tta: shows a segmentor the views of the config's ``tta_pipeline``, and lets its
            ``tta_model`` merge what it predicts.
        refine: what improves a segmentor's scores before anything is measured, one after the
            other; see :func:`~mmsmoke.models.build_refiner`.
        per_class: choose a threshold for each class on ``threshold_split``, which is looked at once
            more for that, see :class:`~mmsmoke.evaluation.ClassThresholds`.

    Returns:
        A result: protocol, numbers of each split, and what is needed to make them again; and, as
        ``details``, the curves and the numbers of each image behind them, by split and metric.
    """
    cfg = copy.deepcopy(cfg)
    if cfg.test_cfg.get('type') == 'mmsmoke.PseudoLabelLoop':
        raise UserError(f'{cfg.filename} writes pseudo labels; take tools/make_pseudo_labels.py')
    if 'split' not in cfg.test_dataloader.dataset:
        raise UserError(f'the test data set of {cfg.filename} has no splits to choose from')
    if per_class and (threshold_split is None or not list(_of_maps(cfg.test_evaluator))):
        raise UserError(
            'a threshold for each class is one of maps, and needs a split on which to choose it '
            '(--threshold-split)'
        )
    refiners = _built_refiners(refine)
    if tta:
        for name in ('tta_model', 'tta_pipeline'):
            if cfg.get(name) is None:
                raise UserError(f'{cfg.filename} has no {name}; see docs/segmentors.md')
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    runner = trained_runner(cfg, checkpoint)
    test_loop, own = TestLoop, None
    if refiners:
        model = unwrapped(runner.model)
        _require_segmentor(cfg, model)
        own = segmentor_threshold(model)
        test_loop = partial(RefinedTestLoop, refine=refiners, threshold=own)
    if tta:
        runner.load_or_resume()  # before it is wrapped: the checkpoint knows no views
        runner.model = MODELS.build(
            cfg.tta_model, default_args=dict(module=unwrapped(runner.model))
        )
    threshold, numbers, details = Threshold(None), {}, {}
    if per_class:
        threshold = _search_per_class(runner, cfg, threshold_split) or threshold
    for split in tested_splits(splits, threshold_split):
        loader, evaluator = copy.deepcopy((cfg.test_dataloader, cfg.test_evaluator))
        loader.dataset.split = split
        if threshold.value is not None:
            fix_threshold(evaluator, threshold.value)
        runner._test_loop = test_loop(runner, loader, evaluator)
        numbers[split] = plain_numbers(runner.test())
        details[split] = metric_details(runner.test_loop.evaluator)
        if split == threshold_split and threshold.value is None:
            threshold = Threshold(numbers[split].get('cam/threshold'), 'dataset', split)
            if threshold.value is None and list(_of_maps(cfg.test_evaluator)):
                raise UserError(f'split {split!r} has no true masks to choose a threshold by')
    table = Path(cfg.test_dataloader.dataset.data_root) / 'labels.csv'
    return dict(
        config=config_record(cfg),
        checkpoint=checkpoint_record(checkpoint),
        data_root=cfg.test_dataloader.dataset.data_root,
        labels_sha256=sha256_of_file(table) if table.is_file() else None,
        masks_sha256=masks_hash_of(cfg, splits, threshold_split),
        seed=cfg.get('randomness', {}).get('seed'),
        deterministic=cfg.get('randomness', {}).get('deterministic', False),
        protocol=_protocol(cfg, threshold)
        | (dict(tta=True) if tta else {})
        | (_refinement(refine, refiners, own) if refiners else {}),
        splits=numbers,
        **({'true_masks': seen} if (seen := seen_masks(cfg, checkpoint)) else {}),
        environment=environment(),
        details=details,
    )


def _built_refiners(refine: Sequence[str | Mapping | Callable]) -> list[Callable]:
    if not refine:
        return []
    from mmsmoke.models.refiners import build_refiner

    refiners = [build_refiner(one) for one in refine]
    for refiner in refiners:
        if getattr(refiner, 'needs_labels', False):
            raise UserError(
                f"{type(refiner).__name__} finds what an image's label names, and the test of a "
                'segmentor knows no labels; tools/make_pseudo_labels.py --split does'
            )
    return refiners


def _require_segmentor(cfg: Config, model: nn.Module) -> None:
    if not hasattr(model, 'encode_decode'):
        raise UserError(
            f'{cfg.filename}: tools/test.py refines the scores of segmentors; those of a '
            'classifier are refined, and measured, by tools/make_pseudo_labels.py --split SPLIT '
            '--refine …'
        )


def _refinement(
    named: Sequence[str | Mapping | Callable], refiners: list[Callable], threshold: float | None
) -> dict:
    """Return what a protocol says of refiners, after they have done their work."""
    described = []
    for name, refiner in zip(named, refiners, strict=True):
        kind = getattr(refiner, '__name__', type(refiner).__name__)
        settings = refiner.settings() if hasattr(refiner, 'settings') else {}
        described.append(dict(name=name if isinstance(name, str) else kind, type=kind, **settings))
    return dict(refine=described, mask_threshold=threshold)


def metric_details(evaluator: Evaluator) -> dict[str, dict]:
    """Return what the metrics keep behind their numbers, by prefix."""
    kept = {metric.prefix: getattr(metric, 'details', {}) for metric in evaluator.metrics}
    return {prefix: details for prefix, details in kept.items() if details}


def masks_hash(cfg: Config, dataset: Mapping) -> str:
    """Hash all that test data know of the truth besides labels: masks and what stands beside."""
    with scope_of(cfg):
        if issubclass(DATASETS.get(dataset['type']), WeakSegDataset):
            dataset = {**dataset, 'check_masks': False}  # whoever uses them looks at them
        rows = DATASETS.build(dataset)
    digest = hashlib.sha256()
    for row in map(rows.get_data_info, range(len(rows))):
        for path in (row.get('seg_map_path'), row.get('context_path')):
            digest.update((sha256_of_file(path) if path else '-').encode())
        if 'ignored_path' in row:
            digest.update(sha256_of_file(row['ignored_path']).encode())
    return digest.hexdigest()


def masks_hash_of(cfg: Config, splits: list[str], threshold_split: str | None = None) -> str:
    """Hash the same of all splits that :func:`evaluate_splits` tests."""
    splits = sorted(tested_splits(splits, threshold_split))  # their order is not of the data
    return masks_hash(cfg, {**cfg.test_dataloader.dataset, 'split': splits})


def tested_splits(splits: list[str], threshold_split: str | None) -> list[str]:
    """Return the splits in the order of their tests: what is chosen on one holds for the others."""
    first = [] if threshold_split is None else [threshold_split]
    return list(dict.fromkeys([*first, *splits]))


def _search_per_class(runner: Runner, cfg: Config, split: str) -> Threshold | None:
    """Return the best threshold for each class on a split; None for a single class."""
    loader = copy.deepcopy(cfg.test_dataloader)
    loader.dataset.split = split
    maps = next(_of_maps(cfg.test_evaluator))
    given = {key: maps[key] for key in ('normalize', 'present') if key in maps}
    runner._test_loop = TestLoop(runner, loader, [dict(given, type='mmsmoke.ClassThresholds')])
    classes = runner.test_loop.dataloader.dataset.label_classes
    return threshold_per_class(runner.test(), classes, split)


def _protocol(cfg: Config, chosen: Threshold) -> dict:
    if chosen.value is not None:
        return chosen.protocol()
    of_maps = list(_of_maps(cfg.test_evaluator))
    fixed = [metric['threshold'] for metric in of_maps if metric.get('threshold') is not None]
    if fixed:
        return Threshold(fixed[0]).protocol()
    return Threshold(None, 'best on each split' if of_maps else "the model's own").protocol()


def fix_threshold(evaluator: list | dict, threshold: Value) -> None:
    """Fix the threshold of all metrics that make masks of maps."""
    for metric in _of_maps(evaluator):
        metric['threshold'] = threshold


def _of_maps(evaluator: list | dict) -> Iterator[dict]:
    for metric in evaluator if isinstance(evaluator, list) else [evaluator]:
        name, source = metric['type'].split('.')[-1], metric.get('source')
        if (name in _AT_THRESHOLD and source != 'mask') or (name, source) == _EVENTS_OF_MAPS:
            yield metric
