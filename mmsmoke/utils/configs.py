"""Finding config files, and the network that one of them describes."""

import os
from pathlib import Path

from mmengine.config import Config

import mmsmoke

from .errors import UserError


def find_config(config: str | os.PathLike) -> Path:
    """The file as named, or of that name among the configs that came with the package."""
    installed = Path(mmsmoke.__file__).parent / '.mim'
    for path in (Path(config), installed / config, installed / 'configs' / config):
        if path.is_file():
            return path
    raise UserError(f'config {config} not found')


def resolve_network(network: str | dict) -> dict:
    """The model of a config file, with changes.

    Args:
        network: ``dict(config='cam/….py', …)``, whose other keys are merged into the model of
            that file; the file's name alone; or a model, which is returned as it is.
    """
    if isinstance(network, str):
        network = dict(config=network)
    if 'config' not in network:
        return network
    changes = {key: value for key, value in network.items() if key != 'config'}
    cfg = Config(dict(model=Config.fromfile(str(find_config(network['config']))).model))
    cfg.merge_from_dict(dict(model=changes))
    return cfg.model
