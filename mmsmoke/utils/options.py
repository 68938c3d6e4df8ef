"""Change a config as the command line says; refuse changes that would do nothing."""

import ast
import inspect
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from .configs import mappings, resized, settings_of, short_reason
from .errors import UserError

RUN_KEYS = (
    *list(inspect.signature(Runner.__init__).parameters)[1:],
    'custom_imports',
    'compile',
    'tta_model',
    'tta_pipeline',
    'runner_type',
    'model_wrapper_cfg',
    'find_unused_parameters',
    'data_root',
    'size',
    'plumes',
    'num_masks',
    'mask_seed',
    'mask_weight',
)
"""Names at the top level of a config that a run reads; others there serve the file itself."""


def apply_options(cfg: Config, options: Mapping, keys: Collection[str] = RUN_KEYS) -> None:
    """Merge options such as ``{'model.backbone.depth': 50}`` into a config.

    Args:
        keys: what has an effect at the top level.
    """
    if 'data_root' in options and 'train_dataloader' in cfg:
        _change_data_root(cfg, options['data_root'])
    if 'size' in options:
        _change_size(cfg, options['size'])
    for name, value in options.items():  # at once, a dict would replace what 'its.keys' set
        _require_effect(cfg, name, keys)
        _fill_in(cfg._cfg_dict, name.split('.')[:-1])
        if isinstance(cfg.get(name), Mapping) and not isinstance(value, Mapping | None):
            first = next(iter(cfg[name]), 'type')
            raise UserError(f'option {name}: several settings stand there; say {name}.{first}=…')
        try:
            cfg.merge_from_dict({name: value})
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise UserError(f'option {name} does not fit: {short_reason(error)}') from error


def _change_data_root(cfg: Config, data_root: str) -> None:
    """Change the folder in every data set: they hold copies of the name by then."""
    old = cfg.get('data_root')
    holders = [node for node in mappings(cfg._cfg_dict) if node.get('data_root', ...) == old]
    if len(holders) < 2:
        raise UserError(f'{cfg.filename} has several data sets; name the one to change in full')
    for node in holders:
        node['data_root'] = data_root


def _change_size(cfg: Config, size: int) -> None:
    """Change the size to which every pipeline brings pictures."""
    if 'size' not in cfg:
        raise UserError(f'{cfg.filename} brings pictures to no size')
    if not isinstance(size, int) or size < 1:
        raise UserError(f'size must be a whole number of pixels, got {size!r}')
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader', 'tta_pipeline'):
        if cfg.get(key) is not None:
            cfg[key] = resized(cfg[key], size)


def _fill_in(node: Any, names: list[str]) -> None:
    """Make dicts of the Nones on the way to a setting, such as ``init_cfg=None``."""
    for name in names:
        if isinstance(node, Mapping) and name in node:
            if node[name] is None:
                node[name] = {}
            node = node[name]
        elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        else:
            return


def _require_effect(cfg: Config, name: str, keys: Collection[str]) -> None:
    first, *rest = name.split('.')
    if first in keys:
        return
    if first in cfg:
        places = _places(cfg, keys, lambda key, value: value == cfg[first])
        made = ', '.join(list(places)[:3])
        raise UserError(
            f'option {name} would have no effect: {first} serves only while the file is read. '
            + (f'Change what was made of it: {made}' if made else 'Set it in a config of your own')
        )
    last = rest[-1] if rest else first
    same = places_of(cfg, keys, last)
    close = get_close_matches(first, {*keys, *cfg}, 1, 0.7)
    close = ['.'.join([key, *rest]) for key in close]
    guesses = ', '.join([*close, *same][:3])
    raise UserError(
        f'option {name}: the config has no {first}' + (f'; did you mean {guesses}?' * bool(guesses))
    )


def _places(cfg: Config, keys: Collection[str], wanted) -> Iterator[str]:
    """Yield the dotted names of all settings for which ``wanted(key, value)`` is true."""
    read = {key: cfg[key] for key in keys if key in cfg}
    for name, key, value in settings_of(read):
        if '.' in name and wanted(key, value):
            yield name


def places_of(cfg: Config, keys: Collection[str], name: str) -> list[str]:
    """List where, below these keys, a setting of this name stands, or ``max_`` and the name."""
    return list(_places(cfg, keys, lambda key, _: key in (name, f'max_{name}')))


def require_useful_names(cfg: Config) -> None:
    """Raise if a config file sets a name that nothing reads and that looks like a mistake.

    Names that serve the file itself, as ``size`` does, and names for those who inherit it stay, as
    do all names of a config without bases, such as those that trainings leave in their work_dir.
    """
    for name in _unread_names(Path(cfg.filename)) if _bases(cfg.filename) else ():
        close = get_close_matches(name, RUN_KEYS, 1, 0.8)
        if close and not close[0].endswith(name):
            raise UserError(f'{cfg.filename}: unknown key {name}; did you mean {close[0]}?')
        if same := places_of(cfg, RUN_KEYS, name):
            raise UserError(f'{cfg.filename}: {name} has no effect; did you mean {same[0]}?')
        if any(name in Config.fromfile(base) for base in _bases(cfg.filename)):
            raise UserError(
                f'{cfg.filename}: {name} has no effect: the base has used its own by then. '
                'Change what was made of it'
            )


def _unread_names(path: Path) -> Iterator[str]:
    if path.suffix != '.py':
        return
    tree = ast.parse(path.read_text(encoding='utf-8'))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    for line in tree.body:
        for target in line.targets if isinstance(line, ast.Assign) else ():
            name = getattr(target, 'id', '_')
            # a size does nothing by itself in a file
            if name[0] != '_' and (name == 'size' or name not in RUN_KEYS) and name not in read:
                yield name


def _bases(filename: str) -> list[str]:
    if Config._is_lazy_import(filename):
        return []
    return [Config._get_cfg_path(base, filename)[0] for base in Config._get_base_files(filename)]


def require_sound_numbers(cfg: Config) -> None:
    """Raise for lengths and sizes with which a run would end at once, or never."""
    least = {
        **{f'train_cfg.{name}': 1 for name in ('max_epochs', 'max_iters', 'val_interval')},
        **{f'{split}_dataloader.batch_size': 1 for split in ('train', 'val', 'test')},
        **{f'{split}_dataloader.num_workers': 0 for split in ('train', 'val', 'test')},
    }
    for name, lowest in least.items():
        section, key = name.split('.')
        node = cfg.get(section)
        value = node.get(key) if isinstance(node, Mapping) else None
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
            raise UserError(f'{name} must be a whole number of at least {lowest}, got {value!r}')
