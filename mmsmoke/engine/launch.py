"""Read a config with its command-line changes, and build a Runner from it."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from torch import nn

from mmsmoke.engine import ScreenRunner, latest_checkpoint
from mmsmoke.utils import UserError, mappings, read_config
from mmsmoke.utils.build_errors import naming_settings
from mmsmoke.utils.checkpoints import read_checkpoint, require_resumable, weights_of
from mmsmoke.utils.configs import move_plumes, resolve_networks
from mmsmoke.utils.locks import exclusive
from mmsmoke.utils.models import unwrapped
from mmsmoke.utils.options import (
    RUN_KEYS,
    apply_options,
    require_sound_numbers,
    require_useful_names,
)
from mmsmoke.utils.process import keep_freed_memory
from mmsmoke.utils.quiet import silence_known_noise

from .few_masks import keep_record, see_few_masks
from .optim_wrapper import has_fast_bfloat16
from .trial import require_fitting_model

TRUE_MASKS = '{data_root}/masks'
TRAINING_ONLY = {'teacher', 'average'}
"""Names the parts of networks without which they predict."""


def load_config(
    config: str | os.PathLike,
    work_dir: str | os.PathLike | None = None,
    options: Mapping | None = None,
    launcher: str = 'none',
    keys: Collection[str] = RUN_KEYS,
) -> Config:
    """Read a config, by default with ``work_dirs/NAME`` as its work_dir, as mmseg does.

    Args:
        options: changes, by dotted names.
        keys: what an option may change at the top level.
    """
    silence_known_noise()
    cfg = read_config(config)
    cfg.launcher = launcher
    if 'model' in cfg:
        require_useful_names(cfg)
    apply_options(cfg, options or {}, keys)
    require_sound_numbers(cfg)
    if cfg.get('plumes') and 'model' in cfg:
        move_plumes(cfg)
    if cfg.get('optim_wrapper'):
        constructor = 'mmsmoke.LearnableOptimWrapperConstructor'
        cfg.optim_wrapper.setdefault('constructor', constructor)
    resolve_networks(cfg.get('model') or {})  # so that what is saved and hashed is all of it
    if 'train_dataloader' in cfg:
        if cfg.get('num_masks'):
            see_few_masks(cfg)
        unused = [key for key in ('mask_weight', 'mask_seed') if key in (options or {})]
        if unused and 'num_masks' not in cfg:
            raise UserError(f'{unused[0]} is of true masks: say how many, as num_masks=25')
    if work_dir is not None:
        cfg.work_dir = str(work_dir)
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(config).stem)
    return cfg


def require_sections(cfg: Config, *names: str) -> None:
    """Raise if a config lacks what a run of its kind needs, as plans and parts of configs do."""
    for name in names:
        if cfg.get(name) is None:
            raise UserError(f'{cfg.filename} has no {name}: it is a plan, or a part of a config')


def use_checkpoint(cfg: Config, checkpoint: str | os.PathLike) -> None:
    """Make a run test, or label, with this checkpoint."""
    if holds_student(checkpoint) and 'student' not in cfg.model:
        raise UserError(
            f'{checkpoint} is the checkpoint of a distiller; '
            'tools/model_converters/publish_student.py takes the student out of it'
        )
    cfg.load_from, cfg.resume = str(checkpoint), False


def holds_student(checkpoint: str | os.PathLike) -> bool:
    """Tell whether a checkpoint is that of a distiller."""
    weights = weights_of(read_checkpoint(checkpoint), checkpoint)
    return any(name.startswith('student.') for name in weights)


def load_weights(model: nn.Module, checkpoint: str | os.PathLike) -> None:
    """Load all weights, or raise: mmengine leaves at random what a checkpoint lacks."""
    weights = weights_of(read_checkpoint(checkpoint), checkpoint)
    weights = {name.removeprefix('module.'): value for name, value in weights.items()}
    try:
        found = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # sizes differ; the first line says nothing
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f'{checkpoint} does not fit the model: {reason}') from error
    missing = [name for name in found.missing_keys if TRAINING_ONLY.isdisjoint(name.split('.'))]
    for names, problem in ((missing, 'it has no'), (found.unexpected_keys, 'the model has no')):
        if names:
            raise UserError(
                f'{checkpoint} does not fit the model: {problem} {names[0]} '
                f'({len(names)} such names in all)'
            )


def resume(cfg: Config) -> None:
    """Make a training go on from the newest checkpoint of its work_dir.

    Without one, it goes on from ``load_from`` if that is set, as in mmseg, or starts.
    """
    checkpoint = latest_checkpoint(cfg.work_dir)
    if checkpoint is not None:
        cfg.load_from = str(checkpoint)
    cfg.resume = cfg.get('load_from') is not None


def use_mixed_precision(cfg: Config) -> None:
    """Take float16 with loss scaling on a GPU; bfloat16, which needs none, on a CPU."""
    wrapper = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if wrapper not in ('OptimWrapper', 'AmpOptimWrapper', 'mmsmoke.AutocastOptimWrapper'):
        raise UserError(f'--amp cannot be used with optim_wrapper {wrapper}')
    if torch.cuda.is_available():
        if cfg.optim_wrapper.get('dtype') == 'auto' and not has_fast_bfloat16():
            del cfg.optim_wrapper['dtype']  # it would be float32
            wrapper = 'OptimWrapper'
        if wrapper != 'mmsmoke.AutocastOptimWrapper':
            cfg.optim_wrapper.type = 'AmpOptimWrapper'
            cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    else:
        cfg.optim_wrapper.type = 'mmsmoke.AutocastOptimWrapper'
        cfg.optim_wrapper.pop('loss_scale', None)


def build_runner(cfg: Config) -> Runner:
    """Return a Runner for one process or, under a launcher, for this process of several."""
    if 'OMPI_COMM_WORLD_LOCAL_RANK' in os.environ:  # mmengine wants it under torch's name
        os.environ.setdefault('LOCAL_RANK', os.environ['OMPI_COMM_WORLD_LOCAL_RANK'])
    if cfg.get('launcher', 'none') != 'none' and not torch.cuda.is_available():
        _prepare_cpu_processes(cfg)
    with naming_settings(cfg):
        return RUNNERS.build(cfg) if 'runner_type' in cfg else ScreenRunner.from_cfg(cfg)


def train(cfg: Config) -> None:
    """Train what a config describes, alone in its work_dir."""
    keep_freed_memory()
    if cfg.get('resume') and Path(cfg.load_from or '').is_file():
        require_resumable(cfg.load_from)
    with alone_in_work_dir(cfg), naming_settings(cfg):
        runner = build_runner(cfg)
        require_fitting_model(runner)
        keep_record(runner)
        runner.train()


@contextmanager
def alone_in_work_dir(cfg: Config) -> Iterator[None]:
    """Keep other runs out of the work_dir; the processes of one run share it."""
    ranks = (os.environ.get(name) for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'))
    is_main = cfg.get('launcher', 'none') == 'none' or next(filter(None, ranks), '0') == '0'
    with exclusive(Path(cfg.work_dir)) if is_main else nullcontext():
        yield


def use_masks(cfg: Config, folder: str | os.PathLike) -> None:
    """Make a segmentor learn from these masks.

    Args:
        folder: of masks, or the work_dir of the label run that wrote them; ``true``: the true
            masks of the data set, for an upper bound, or those ``num_masks`` alone that the config
            asks for.
    """
    alone = [node for node in mappings(cfg.train_dataloader) if node.get('beside', 'all') != 'all']
    if alone and not (folder == 'true' and cfg.get('num_masks')):
        raise UserError(
            f'{cfg.filename} learns from {alone[0]["num_masks"]} true masks and nothing beside '
            f'them but {alone[0]["beside"]} images: leave --masks out'
        )
    if folder == 'true' and cfg.get('num_masks') == 0:
        raise UserError('--num-masks 0 of --masks true leaves nothing to learn from')
    if folder == 'true' and cfg.get('num_masks'):
        see_few_masks(cfg, beside=alone[0]['beside'] if alone else 'nothing')
        return
    if folder == 'true':
        folder = TRUE_MASKS
    else:
        folder = Path(folder)
        folder = folder / 'masks' if (folder / 'masks').is_dir() else folder
        if not folder.is_dir():
            raise UserError(f'folder of masks {folder} not found')
    learners = [node for node in mappings(cfg.train_dataloader) if 'seg_map_dir' in node]
    if not learners:
        raise UserError(f'{cfg.filename} learns from no masks; --masks is for segmentors')
    for node in learners:
        node['seg_map_dir'] = str(folder)


def trained_runner(cfg: Config, checkpoint: str | os.PathLike) -> Runner:
    """Return a Runner that tests, or labels with, this checkpoint, which fits its model."""
    use_checkpoint(cfg, checkpoint)
    runner = build_runner(cfg)
    load_weights(unwrapped(runner.model), checkpoint)
    return runner


def _prepare_cpu_processes(cfg: Config) -> None:
    # mmengine would select a GPU even for gloo, and give DDP a device of its own
    if cfg.launcher != 'pytorch':
        raise UserError(f'no GPU found: on CPUs take --launcher pytorch, not {cfg.launcher}')
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = {
        'type': 'MMDistributedDataParallel',
        'device_ids': None,
        'broadcast_buffers': False,
        'find_unused_parameters': cfg.get('find_unused_parameters', False),
        **(cfg.get('model_wrapper_cfg') or {}),
    }
