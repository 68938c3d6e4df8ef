"""Find and read config files, and the network that one of them describes."""

import os
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .errors import UserError
from .files import INSTALLED, installed, sha256_of_file

TRANSPLANT = 'mmsmoke.PlumeTransplant'
ROLES = ('student', 'teacher', 'classifier', 'first', 'second')
"""Names the arguments of models that are networks."""
_read: dict[tuple[Path, Path], tuple[Config, dict[str, bytes | None]]] = {}
"""Keeps what config files say, with the contents of all files that this came from."""


def find_config(config: str | os.PathLike) -> Path:
    """Return the named file, or that of this name among the configs of the package."""
    for path in (Path(config), INSTALLED / config, INSTALLED / 'configs' / config):
        if path.is_file():
            return path
    names = [path.relative_to(INSTALLED).as_posix() for path in installed('configs').rglob('*.py')]
    close = get_close_matches(str(config), names, 1, 0.8)
    raise UserError(f'config {config} not found' + (f'; did you mean {close[0]}?' if close else ''))


def read_config(config: str | os.PathLike) -> Config:
    """Read a config file; ``mmsmoke::…`` as a base means what a relative path to it would.

    A file is read once, until it or one of its bases changes: sweeps want the same few again and
    again. One that imports its bases does not say which they are, and is always read.
    """
    path = find_config(config)
    key = path, path.resolve()
    cfg, contents = _read.get(key, (None, {}))
    if cfg is None or contents != _contents(contents):
        cfg = _read_anew(path)
        # its text has the absolute path of each file as a line before what that one says
        files = [line for line in cfg.text.splitlines() if os.path.isabs(line)]
        if files:
            _read[key] = cfg, _contents(files)
    return deepcopy(cfg)


def _contents(files: Iterable[str]) -> dict[str, bytes | None]:
    return {file: Path(file).read_bytes() if os.path.isfile(file) else None for file in files}


def _read_anew(path: Path) -> Config:
    """Read a config file without the scopes with which mmengine marks what ``mmsmoke::…`` gave.

    Our configs name a scope where it is needed, and their plain names are those of their
    default_scope.
    """
    try:
        cfg = Config.fromfile(str(path))
        for node in mappings(cfg._cfg_dict):
            if node.get('_scope_') == 'mmsmoke':
                del node['_scope_']
    except UserError:
        raise
    except Exception as error:
        raise UserError(_what_is_wrong(path, error)) from error
    return cfg


def _what_is_wrong(config: Path, error: Exception) -> str:
    """Return a line that names the file at fault, which may be a base of the one that was named."""
    chain, line, missing = [_shown(config)], getattr(error, 'lineno', None), None
    for frame, number in traceback.walk_tb(error.__traceback__):
        names = frame.f_locals
        if frame.f_code.co_name in ('_file2dict', '_is_lazy_import'):
            if (file := _shown(names['filename'])) != chain[-1]:
                chain.append(file)
        elif frame.f_code.co_name == '_get_cfg_path':
            missing = names['cfg_path']
        elif _shown(frame.f_code.co_filename) == chain[-1]:
            line = number
    *parents, culprit = chain
    if isinstance(error, RecursionError):
        circle = list(dict.fromkeys(chain))
        return f'the bases of {config} go round in a circle: {" -> ".join([*circle, circle[0]])}'
    if isinstance(error, FileNotFoundError) and parents:
        culprit, missing = parents[-1], culprit
    if missing and isinstance(error, FileNotFoundError | AssertionError):
        return f'{culprit} names a base that is not there: {missing}'
    where = f'{culprit}, line {line}' if line else culprit
    through = f' (a base of {config})' if parents else ''
    return f'{where}{through}: {type(error).__name__}: {short_reason(error)}'


def short_reason(error: Exception) -> str:
    """Return the first line of what an error says, at most 300 characters."""
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = getattr(error, 'msg', None) or text  # without the place, which is said elsewhere
    line = next(iter(str(text).strip().splitlines()), '')
    if not line:  # a bare assert: the line of code says more than nothing
        line = f'{type(error).__name__}: {traceback.extract_tb(error.__traceback__)[-1].line}'
    return line if len(line) <= 300 else line[:297] + '…'


def _shown(filename: str | os.PathLike) -> str:
    """Return a path as short as it can be told from here."""
    path = os.path.relpath(filename)
    return os.path.abspath(filename) if path.startswith('..') else path


def settings_of(node: Any, path: str = '') -> Iterator[tuple[str, str | int, Any]]:
    """Yield dotted name, key and value of all in a nest of dicts and lists, outer before inner."""
    items = node.items() if isinstance(node, Mapping) else ()
    for key, value in enumerate(node) if isinstance(node, list | tuple) else items:
        name = f'{path}.{key}'.lstrip('.')
        yield name, key, value
        yield from settings_of(value, name)


def mappings(node: Any) -> Iterator[Mapping]:
    """Yield all dicts in a nest of dicts and lists, each before those inside it."""
    inner = (value for _, _, value in settings_of(node))
    yield from (value for value in chain([node], inner) if isinstance(value, Mapping))


def resized(node, size: int):
    """Return settings with another size of pictures, as in ``resized(_base_.test_pipeline, 112)``.

    It is that of all transforms which bring a picture to a size or cut one of a size out of it.
    """
    if isinstance(node, list | tuple):
        return type(node)(resized(one, size) for one in node)
    if not isinstance(node, Mapping):
        return node
    new = {key: resized(value, size) for key, value in node.items()}
    for key in ('scale', 'crop_size'):
        if 'type' in new and key in new:
            new[key] = size if isinstance(new[key], int) else (size, size)
    return new


def rescaled(
    pipeline: Sequence[Mapping], factors: Sequence[float] = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
) -> list[dict]:
    """Return test-time views at other scales, by default DeepLab's.

    Example: ``tta_pipeline = rescaled(_base_.tta_pipeline)`` in a config.
    """
    steps = []
    for step in pipeline:
        step = dict(step)
        if 'transforms' in step:
            step['transforms'] = [
                [{**group[0], 'scale_factor': factor} for factor in factors]
                if 'scale_factor' in group[0]
                else group
                for group in step['transforms']
            ]
        steps.append(step)
    return steps


def move_plumes(cfg: Config) -> None:
    """Let a classifier learn from images whose plumes were moved, as the maps in ``plumes`` say.

    That is their folder, or ``dict(scores=FOLDER, …)`` with further arguments of
    :class:`~mmsmoke.datasets.transforms.PlumeTransplant`.
    """
    plumes = dict(scores=cfg.plumes) if isinstance(cfg.plumes, str) else cfg.plumes
    if 'scores' not in plumes:
        raise UserError(f'{cfg.filename}: plumes.scores, the folder of the maps, is missing')
    dataset = cfg.train_dataloader.dataset
    steps = [step for step in dataset.get('pipeline', []) if step['type'] != TRANSPLANT]
    types = [step['type'].split('.')[-1] for step in steps]
    loading = [place for place, name in enumerate(types, 1) if name.startswith('LoadImage')]
    if not loading or 'LoadMask' in types:
        raise UserError(
            f'{cfg.filename}: plumes can be moved for classifiers alone: no mask moves with them'
        )
    transplant = dict(type=TRANSPLANT, data_root=dataset.data_root, **plumes)
    dataset.pipeline = [*steps[: loading[0]], transplant, *steps[loading[0] :]]


def checkpoint_hashes(node) -> dict[str, str]:
    """Hash the files that a nest of dicts and lists names as ``checkpoint``."""
    named = {found.get('checkpoint') for found in mappings(node)}
    files = sorted(name for name in named if isinstance(name, str) and Path(name).is_file())
    return {name: sha256_of_file(name) for name in files}


def resolve_networks(model: Mapping) -> None:
    """Replace the networks within a model that are named by config, however deep."""
    for role in ROLES:
        network = model.get(role)
        if isinstance(network, Mapping) or str(network).endswith('.py'):
            model[role] = resolve_network(network)
            resolve_networks(model[role])


def resolve_network(network: str | dict) -> dict:
    """Return the model of a config file, with changes.

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
