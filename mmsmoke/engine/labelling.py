"""Make label runs of the configs of classifiers and segmentors: stage 2 needs none of its own."""

import copy
from collections.abc import Mapping, Sequence

from mmengine.config import Config

from mmsmoke.utils import UserError, read_config
from mmsmoke.utils.configs import find_config
from mmsmoke.utils.thresholds import Value

from .launch import load_config, require_sections

LOOP, WRITER = 'mmsmoke.PseudoLabelLoop', 'mmsmoke.PseudoLabelHook'
SHORT = dict(
    fusion=(dict(type='mmsmoke.CAMFusionHook'), []),
    crf=(dict(type='mmsmoke.CRFHook'), ['preset']),
    par=(dict(type='mmsmoke.RefineHook', refiner=dict(type='mmsmoke.PAR'), stage='par'), []),
    affinity=(dict(type='mmsmoke.AffinityHook'), ['model', 'checkpoint']),
)
"""Names the hook behind each short form, and the arguments that follow its colons."""
THRESHOLDS = {'crf:irn': 0.5, 'crf:translucent': 0.6, 'affinity': 0.5}
"""Gives the threshold that suits the scores of a refiner; others leave the threshold as it was."""
RECIPES = 'configs/_base_/refine'
EVALUATOR = [
    dict(type='mmsmoke.PseudoLabelMetric'),
    dict(type='mmsmoke.RefinementMetric'),
    dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='pseudo'),
]


def load_label_run(
    config: str,
    work_dir: str | None = None,
    options: Mapping | None = None,
    launcher: str = 'none',
    refine: Sequence[str | Mapping] = (),
    threshold: Value | None = None,
    split: str | None = None,
    score_stride: int | None = None,
) -> Config:
    """Read the config of a model, and make a label run of it unless it is one.

    Args: as :func:`~mmsmoke.engine.launch.load_config` and :func:`label_run` have them; work_dir
        is by default that of the training and ``_labels``, as in ``work_dirs/NAME_labels``.
    """
    cfg = load_config(config, work_dir, options, launcher)
    require_sections(cfg, 'model', 'test_dataloader')
    if work_dir is None and not is_label_run(cfg):  # beside the training, not into it
        cfg.work_dir += '_labels'
    if refine or not is_label_run(cfg):
        cfg = label_run(cfg, refine, threshold)
    elif threshold is not None:
        cfg.custom_hooks[-1].threshold = threshold
    if score_stride is not None:
        cfg.custom_hooks[-1].score_stride = score_stride
    if split is not None:
        cfg.test_dataloader.dataset.split = split
    return cfg


def is_label_run(cfg: Config) -> bool:
    """Tell whether a config labels, as those do that label runs leave in their work_dir."""
    return (cfg.get('test_cfg') or {}).get('type') == LOOP


def label_run(
    cfg: Config,
    refine: Sequence[str | Mapping] = (),
    threshold: Value | None = None,
    split: str = 'train',
    score_stride: int | None = None,
) -> Config:
    """Return the config of a run in which this model labels a split, as its test would see it.

    Args:
        refine: what improves the scores, in this order: hooks, or in short
            ``multi_scale:RECIPE:SCALES`` (maps of several views, see
            :class:`~mmsmoke.models.cams.MultiScaleCAM`), ``fusion`` (of layers), ``crf:PRESET``,
            ``par``, ``affinity:CONFIG:CHECKPOINT``, a config file whose ``custom_hooks`` they are,
            or the name of one in ``configs/_base_/refine/``. Ends may be left out.
        threshold: of the masks, or that of each class by its name; by default the one that suits
            the last refiner, 0.3 for maps, 0.5 for a segmentor's probabilities.
        score_stride: keep the scores as well, in ``scores/``, averaged over squares of so many
            pixels.
    """
    cfg = copy.deepcopy(cfg)
    writer = dict(type=WRITER, threshold=0.5 if cfg.get('default_scope') == 'mmseg' else 0.3)
    hooks = []
    for one in refine:
        if isinstance(one, str) and one.split(':')[0] == 'multi_scale':
            _look_at_views(cfg, one)
            continue
        for hook in _hooks(one):
            if hook['type'] == WRITER:
                writer = hook
            else:
                hooks.append(hook)
        for name, suited in THRESHOLDS.items():
            if isinstance(one, str) and f'{one}:'.startswith(f'{name}:'):
                writer['threshold'] = suited
    if threshold is not None:
        writer['threshold'] = threshold
    if score_stride is not None:
        writer['score_stride'] = score_stride
    cfg.custom_hooks = [*hooks, writer]
    cfg.test_dataloader.dataset.split = split
    cfg.test_cfg = {**(cfg.get('test_cfg') or {}), 'type': LOOP}
    cfg.test_evaluator = copy.deepcopy(EVALUATOR)
    return cfg


def _look_at_views(cfg: Config, refiner: str) -> None:
    """Let a classifier read its maps from several views, as ``multi_scale:RECIPE:SCALES`` says."""
    _, recipe, scales, *rest = *refiner.split(':'), '', ''
    learner = cfg.model.get('student', cfg.model)
    if 'head' not in learner:
        raise UserError(
            f'{cfg.filename} is no classifier: multi_scale reads its maps from several views'
        )
    backbone = learner.backbone.get('backbone', learner.backbone)  # one that a FeatureCache holds
    views = dict(recipe=recipe or 'thesis', size_divisor=backbone.get('patch_size', 16))
    try:
        if any(rest):
            raise ValueError
        if scales:
            views['scales'] = tuple(float(scale) for scale in scales.split(','))
    except ValueError as error:
        raise UserError(
            f'{refiner!r}: say multi_scale:RECIPE:SCALES, as multi_scale:acr:1,1.25'
        ) from error
    learner.views = views


def _hooks(one: str | Mapping) -> list[dict]:
    """Return the hooks that an entry of ``refine`` stands for."""
    if isinstance(one, Mapping):
        return [copy.deepcopy(dict(one))]
    name, *values = one.split(':')
    hook, names = SHORT.get(name, (None, []))
    if hook and len(values) <= len(names) and (name != 'affinity' or len(values) == 2):
        return [copy.deepcopy(hook) | dict(zip(names, values, strict=False))]
    if name not in SHORT and one.endswith('.py'):
        path = find_config(one)
    else:
        recipes = {file.stem: file for file in find_config(f'{RECIPES}/sam.py').parent.glob('*.py')}
        if one not in recipes:
            raise UserError(
                f'{one!r} is no refiner; there are multi_scale:RECIPE:SCALES, fusion, crf:PRESET, '
                f'par, affinity:CONFIG:CHECKPOINT, {", ".join(sorted(recipes))}, and config files'
            )
        path = recipes[one]
    cfg = read_config(path)
    require_sections(cfg, 'custom_hooks')
    return [hook.to_dict() for hook in cfg.custom_hooks]
