"""Load trained models and the test data of their configs."""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope
from torch import nn

from mmsmoke.engine.launch import holds_student, load_config, load_weights, use_checkpoint
from mmsmoke.utils import UserError, mappings, resolve_network
from mmsmoke.utils.build_errors import naming_settings
from mmsmoke.utils.checkpoints import read_checkpoint
from mmsmoke.utils.progress import progress
from mmsmoke.utils.quiet import silence_known_noise
from mmsmoke.utils.stored_components import StoredConfig, registered_only
from mmsmoke.utils.stored_configs import stored_config


class Predictor:
    """Hold a trained classifier or segmentor, give its test data, and show it an item of these.

    Args:
        result: what tools/test.py wrote about the model.
    """

    def __init__(self, result: Mapping):
        self.cfg: Config = load_config(result['config']['path'])
        self.model = load_model(self.cfg, result['checkpoint']['path'])

    def dataset(self, split: str | Sequence[str], **changes):
        return build_test_data(self.cfg, split=split, **changes)

    @torch.no_grad()
    def __call__(self, item: dict):
        return self.model.test_step(pseudo_collate([item]))[0]


def build_test_data(cfg: Config, **changes):
    """Build the data set that a config tests on, with changes such as another split."""
    settings = copy.deepcopy(cfg.test_dataloader.dataset)
    settings.update(changes)
    with scope_of(cfg):
        return DATASETS.build(settings)


def batches_of(dataset, size: int = 32, text: str = '') -> Iterator[dict]:
    """Yield the items of a data set in its order, as batches; show a bar that says ``text``."""
    for start in progress(range(0, len(dataset), size), text=text):
        ends = range(start, min(start + size, len(dataset)))
        yield pseudo_collate([dataset[index] for index in ends])


def config_and_weights(
    model: str | os.PathLike | Config, weights: str | os.PathLike | None
) -> tuple[Config, str | os.PathLike]:
    """Return a model's config and checkpoint, also where a checkpoint alone holds its config."""
    silence_known_noise()
    if isinstance(model, Config):
        cfg = model
    elif Path(model).suffix in ('.py', '.json', '.yaml', '.yml'):
        cfg = load_config(model)
    else:
        cfg = stored_config(read_checkpoint(model).get('meta', {}), model)
        if cfg is None:
            raise UserError(f'{model} does not hold its config; name a config and it as weights')
        weights = weights or model
    if weights is None:
        raise UserError('weights are missing: name a checkpoint')
    return cfg, weights


def load_model(cfg: Config, checkpoint: str | os.PathLike, device: str = 'cpu') -> nn.Module:
    """Build the model of a config with trained weights, ready to predict; download nothing.

    The config of a distiller also serves its published student.
    """
    silence_known_noise()
    cfg = copy.deepcopy(cfg)
    use_checkpoint(cfg, checkpoint)
    if 'student' in cfg.model and not holds_student(checkpoint):
        cfg.model = resolve_network(cfg.model.student)
    model = build_model(cfg)
    load_weights(model, checkpoint)
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'device {device} cannot be used: {reason}') from error


def build_model(cfg: Config) -> nn.Module:
    """Build the model of a config with random weights, ready to predict; download nothing."""
    settings = copy.deepcopy(cfg.model)
    _forget_pretrained(settings)
    if isinstance(cfg, StoredConfig):  # some networks follow it while they are built
        for node in mappings(settings):
            node.pop('init_cfg', None)
    with scope_of(cfg):
        return MODELS.build(settings).eval()


@contextmanager
def scope_of(cfg: Config) -> Iterator[None]:
    """Build within the scope of a config; for one that came out of a checkpoint within bounds."""
    bounds = registered_only() if isinstance(cfg, StoredConfig) else nullcontext()
    scope = DefaultScope.overwrite_default_scope(cfg.get('default_scope'))
    with scope, bounds, naming_settings(cfg):
        yield


def _forget_pretrained(model: Mapping) -> None:
    # timm and Hugging Face download while they build; what init_cfg names is never fetched here
    for node in mappings(model):
        by_default = str(node.get('type')).endswith('TIMMBackbone')
        pretrained = node.get('pretrained', by_default)
        if pretrained:  # a name or an address is mmseg's
            node['pretrained'] = None if isinstance(pretrained, str) else False
