"""Finding and reading config files, and the network that one of them describes."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config

import mmsmoke

from .errors import UserError
from .files import sha256_of_file


def find_config(config: str | os.PathLike) -> Path:
    """The file as named, or of that name among the configs that came with the package."""
    installed = Path(mmsmoke.__file__).parent / '.mim'
    for path in (Path(config), installed / config, installed / 'configs' / config):
        if path.is_file():
            return path
    raise UserError(f'config {config} not found')


def read_config(config: str | os.PathLike) -> Config:
    """A config file, of which ``mmsmoke::…`` as a base means what a relative path to it would.

    mmengine marks what comes from such a base with the scope before the ``::``. Our configs name
    that scope where it is needed, and their plain names are those of their default_scope.
    """
    cfg = Config.fromfile(str(find_config(config)))
    for node in mappings(cfg._cfg_dict):
        if node.get('_scope_') == 'mmsmoke':
            del node['_scope_']
    return cfg


def mappings(node) -> Iterator[Mapping]:
    """All dicts in a nest of dicts and lists, each before those inside it."""
    if isinstance(node, Mapping):
        yield node
        node = node.values()
    elif not isinstance(node, list | tuple):
        return
    for value in node:
        yield from mappings(value)


def checkpoint_hashes(node) -> dict[str, str]:
    """What is in the files that a nest of dicts and lists names as ``checkpoint``."""
    named = {found.get('checkpoint') for found in mappings(node)}
    files = sorted(name for name in named if isinstance(name, str) and Path(name).is_file())
    return {name: sha256_of_file(name) for name in files}


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
    cfg = Config(dict(model=read_config(network['config']).model))
    cfg.merge_from_dict(dict(model=changes))
    return cfg.model
