"""What a config that came out of a checkpoint may build: ordinary networks and ordinary images.

Components of mmengine's ecosystem trust their settings: some read pickles and config files that
these name, some evaluate text, and a registry calls whatever a dotted name means. So what is built
must be on a list, and while it is built no road from a name to code is open.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from inspect import isclass
from typing import Any
from unittest.mock import patch

import mmengine.fileio.io
import mmengine.registry.registry
from mmengine import registry as root
from mmengine.config import Config
from mmengine.registry import Registry

from .configs import mappings
from .errors import UserError

PACKAGES = ('mmsmoke', 'mmseg', 'mmpretrain', 'mmcv', 'mmengine')
"""Whose code a checkpoint's config may name; all else needs the user's trust."""
NETWORKS = (
    'mmsmoke.models', 'mmseg.models', 'mmseg.structures', 'mmpretrain.models', 'mmcv.cnn',
    'mmcv.ops', 'mmengine.model', 'mmengine.utils.dl_utils', 'torch.nn',
)  # fmt: skip
NO_NETWORKS = ('mmpretrain.models.multimodal', 'mmpretrain.models.retrievers')
DATASETS = ('mmsmoke.datasets', 'mmseg.datasets', 'mmpretrain.datasets')
STEPS = {
    'LoadImage', 'LoadMask', 'LoadContext', 'PackWeakSegInputs', 'LoadImageFromFile',
    'LoadAnnotations', 'Resize', 'ResizeEdge', 'ResizeShortestEdge', 'ResizeToMultiple', 'Pad',
    'CenterCrop', 'EfficientNetCenterCrop', 'Normalize', 'Rerange', 'CLAHE', 'AdjustGamma',
    'RGB2Gray', 'PackSegInputs', 'PackInputs',
}  # fmt: skip
_FILE = re.compile(r'://|^[~/\\]|\.(py|ya?ml|json|pkl|pickle|npy|npz|txt|csv|pth?|bin|onnx)$', re.I)
_WEIGHTS = ('checkpoint', 'pretrained')  # nobody follows them in a model that gets its own


class StoredConfig(Config):
    """A config that came out of a checkpoint which nobody trusts."""


@contextmanager
def registered_only() -> Iterator[None]:
    """Close, for all threads, the roads by which settings reach code while something is built."""
    data_formats = {'json': mmengine.fileio.io.file_handlers['json']}
    with ExitStack() as stack:
        for target, name, replacement in (
            (mmengine.registry.registry, 'get_object_from_string', lambda name: None),
            (mmengine.fileio.io, 'file_handlers', data_formats),
            (Config, '_file2dict', _refuse_files),
        ):
            stack.enter_context(patch.object(target, name, replacement))
        yield


def _refuse_files(filename: str, *_, **__):
    raise UserError(f'a config in a checkpoint names the config file {filename}')


def foreign_parts(cfg: Config, imports: list[str]) -> Iterator[str]:
    """Yield what a stored config names that is not on the lists, before anything is imported."""
    for module in imports:
        if module.split('.')[0] not in PACKAGES:
            yield f'the module {module}'
    nodes = [*mappings(cfg.get('model')), *mappings(_dataset(cfg))]
    for scope in (cfg.get('default_scope'), *(node.get('_scope_') for node in nodes)):
        if scope is not None and scope not in PACKAGES:
            yield f'the scope {scope}'
    for node in nodes:
        for key, value in node.items():
            if 'trust_remote_code' in str(key):
                yield str(key)
            if key == 'type' and not isinstance(value, str):
                yield f'the type {value!r}'
    for node in mappings(cfg.get('model')):
        for key, value in node.items():
            is_network = key in ('student', 'teacher', 'config') and isinstance(value, str)
            if is_network or (key not in _WEIGHTS and any(map(_names_a_file, _listed(value)))):
                yield f'the file {value}'


def unknown_parts(cfg: Config) -> Iterator[str]:
    """Yield the components of a stored config that are not registered, or not on the lists."""
    from mmpretrain.registry import BATCH_AUGMENTS  # what a network's train_cfg may name

    networks = (root.MODELS, root.WEIGHT_INITIALIZERS, root.TASK_UTILS, BATCH_AUGMENTS)
    dataset = _dataset(cfg)
    steps = [node for node in mappings(dataset.get('pipeline'))]
    metainfo = dataset.get('metainfo') or {}
    for node in mappings(cfg.get('model')):
        yield from _unless(node, lambda kind: _is_of(_found(kind, networks), NETWORKS, NO_NETWORKS))
    for node in mappings({**dataset, 'pipeline': None}):
        yield from _unless(node, lambda kind: _is_of(_found(kind, [root.DATASETS]), DATASETS))
    for node in steps:
        yield from _unless(node, lambda kind: kind.rpartition('.')[2] in STEPS)
    for key, value in metainfo.items() if isinstance(metainfo, Mapping) else ():
        if isinstance(value, str):  # mmengine would take it for the name of a file
            yield f'the {key} {value}'


def _dataset(cfg: Config) -> Mapping:
    loader = cfg.get('test_dataloader')
    dataset = loader.get('dataset') if isinstance(loader, Mapping) else None
    return dataset if isinstance(dataset, Mapping) else {}


def _listed(value: Any) -> list:
    return [one for one in (value if isinstance(value, list | tuple) else [value])]


def _names_a_file(value: Any) -> bool:
    return isinstance(value, str) and bool(_FILE.search(value))


def _unless(node: Mapping, is_listed) -> Iterator[str]:
    kind = node.get('type')
    if kind is not None and not is_listed(kind):
        yield f'the component {kind}'


def _found(kind: str, parents: list[Registry]) -> Any:
    """Return what is registered under a name, in the scope that it says or in any of ours."""
    scope, _, name = kind.rpartition('.')
    for parent in parents:
        for registry in (parent, *(parent.children.get(package) for package in PACKAGES)):
            if registry is None or scope not in ('', registry.scope):
                continue
            registry.import_from_location()
            if name in registry.module_dict:
                return registry.module_dict[name]
    return None


def _is_of(component: Any, modules: tuple, others: tuple = ()) -> bool:
    module = getattr(component, '__module__', '')
    return isclass(component) and _within(module, modules) and not _within(module, others)


def _within(module: str, packages: tuple) -> bool:
    return any(f'{module}.'.startswith(f'{package}.') for package in packages)
