"""Bound what a config out of a checkpoint may build: ordinary networks and ordinary images.

Components of mmengine's ecosystem trust their settings: some read pickles and config files that
these name, some evaluate text, and a registry calls whatever a dotted name means. So what is built
must be on a list, and while it is built no road from a name to code is open.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from inspect import isclass
from typing import Any
from unittest.mock import patch

import mmengine.fileio.io
import mmengine.registry.registry
from mmengine import registry as root
from mmengine.config import Config
from mmengine.registry import Registry

from .configs import ROLES, mappings
from .errors import UserError

PACKAGES = ('mmsmoke', 'mmseg', 'mmpretrain', 'mmcv', 'mmengine')
"""Whose code a checkpoint's config may name; all else needs the user's trust."""
NETWORKS = (
    'mmsmoke.models', 'mmseg.models', 'mmseg.structures', 'mmpretrain.models', 'mmcv.cnn',
    'mmcv.ops', 'mmengine.model', 'mmengine.utils.dl_utils', 'torch.nn',
)  # fmt: skip
NO_NETWORKS = (
    'mmpretrain.models.multimodal', 'mmpretrain.models.retrievers',
    'mmpretrain.models.classifiers.hugging_face', 'mmseg.models.backbones.vpd',
)  # fmt: skip
DATASETS = ('mmsmoke.datasets', 'mmseg.datasets', 'mmpretrain.datasets')
NO_DATASETS = ('mmseg.datasets.dsdl', 'mmseg.datasets.onedl')
STEPS = {
    'LoadImage', 'LoadMask', 'LoadContext', 'PackWeakSegInputs', 'LoadImageFromFile',
    'LoadAnnotations', 'Resize', 'ResizeEdge', 'ResizeShortestEdge', 'ResizeToMultiple', 'Pad',
    'CenterCrop', 'EfficientNetCenterCrop', 'Normalize', 'Rerange', 'CLAHE', 'AdjustGamma',
    'RGB2Gray', 'PackSegInputs', 'PackInputs',
}  # fmt: skip
_FILE = re.compile(r'://|^[~/\\]|\.(py|ya?ml|json|pkl|pickle|npy|npz|txt|csv|pth?|bin|onnx)$', re.I)
_PLACE = re.compile(r'(^|_)(path|file|dir|url)$')
_WEIGHTS = ('checkpoint', 'pretrained')  # nobody follows them in a model that gets its own


class StoredConfig(Config):
    """Mark a config that came out of a checkpoint which nobody trusts."""


@contextmanager
def registered_only() -> Iterator[None]:
    """Close, for all threads, the roads by which settings reach code while something is built."""
    data_formats = {'json': mmengine.fileio.io.file_handlers['json']}
    with ExitStack() as stack:
        for target, name, replacement in (
            (mmengine.registry.registry, 'get_object_from_string', _registered),
            (mmengine.fileio.io, 'file_handlers', data_formats),
            (Config, '_file2dict', _refuse_files),
            (mmengine.registry.registry, 'import_module', _import_listed),
        ):
            stack.enter_context(patch.object(target, name, replacement))
        yield


def _registered(name: str) -> Any:
    """Return a component that stands in mmengine's own registries as one of mmcv, ``mmcv.Resize``.

    mmengine itself would import and return whatever the name means.
    """
    if name.partition('.')[0] not in PACKAGES or name.count('.') != 1:
        return None
    component = _found(name, (root.TRANSFORMS, root.MODELS, root.TASK_UTILS))
    return None if _within(_module(component), NO_NETWORKS) else component


def _import_listed(name: str, package: str | None = None):
    if name.split('.')[0] not in PACKAGES:  # a registry imports what stands before a dot
        raise UserError(f'a config in a checkpoint names the module {name}')
    return import_module(name, package)


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
            if key in ('backend_args', 'file_client_args') and not _is_local(value):
                yield f'the {key} {value!r}'
    for node in mappings(cfg.get('model')):
        for key, value in node.items():
            if _names_a_file(key, value):
                yield f'the file {value}'


def unknown_parts(cfg: Config) -> Iterator[str]:
    """Yield the components of a stored config that are not registered, or not on the lists."""
    from mmpretrain.registry import BATCH_AUGMENTS  # what a network's train_cfg may name

    networks = (root.MODELS, root.WEIGHT_INITIALIZERS, root.TASK_UTILS, BATCH_AUGMENTS)
    dataset = _dataset(cfg)
    for node in mappings(cfg.get('model')):
        yield from _unless(node, lambda kind: _is_of(_found(kind, networks), NETWORKS, NO_NETWORKS))
    for node in mappings({**dataset, 'pipeline': None}):
        yield from _unless(
            node, lambda kind: _is_of(_found(kind, [root.DATASETS]), DATASETS, NO_DATASETS)
        )
        metainfo = node.get('metainfo')
        values = dict(metainfo) if isinstance(metainfo, Mapping) else {}
        for key, value in (*values.items(), ('classes', node.get('classes'))):
            if isinstance(value, str):  # it would be taken for the name of a file
                yield f'the {key} {value}'
    for node in mappings(dataset.get('pipeline')):
        yield from _unless(node, _is_step)


def _dataset(cfg: Config) -> Mapping:
    loader = cfg.get('test_dataloader')
    dataset = loader.get('dataset') if isinstance(loader, Mapping) else None
    return dataset if isinstance(dataset, Mapping) else {}


def _is_local(backend: Any) -> bool:
    return not backend or backend in (dict(backend='local'), dict(backend='disk'))


def _names_a_file(key: Any, value: Any) -> bool:
    """Tell whether a setting of a network may be followed to a file, a config or the network."""
    if isinstance(value, list | tuple):
        return any(_names_a_file(key, one) for one in value)
    if not isinstance(value, str) or not value or key in _WEIGHTS:
        return False
    if key in ('config', *ROLES) or _PLACE.search(str(key)):
        return True
    return bool(_FILE.search(value)) or (key in ('model', 'model_name') and ':' in value)


def _is_step(kind: str) -> bool:
    scope, _, name = kind.rpartition('.')
    return name in STEPS and scope in ('', *PACKAGES)


def _unless(node: Mapping, is_listed) -> Iterator[str]:
    kind = node.get('type')
    if kind is not None and not is_listed(kind):
        yield f'the component {kind}'


def _found(kind: str, parents: Sequence[Registry]) -> Any:
    """Return what is registered under a name, in the scope that it says or in any of ours.

    mmcv has no scope of its own: its components stand in mmengine's registries.
    """
    scope, _, name = kind.rpartition('.')
    for parent in parents:
        for registry in (parent, *(parent.children.get(package) for package in PACKAGES)):
            if registry is None:
                continue
            registry.import_from_location()
            component = registry.module_dict.get(name)
            is_meant = scope in ('', registry.scope) or _within(_module(component), (scope,))
            if component is not None and is_meant:
                return component
    return None


def _is_of(component: Any, modules: tuple, others: tuple = ()) -> bool:
    module = _module(component)
    return isclass(component) and _within(module, modules) and not _within(module, others)


def _module(component: Any) -> str:
    return getattr(component, '__module__', '')


def _within(module: str, packages: tuple) -> bool:
    return any(f'{module}.'.startswith(f'{package}.') for package in packages)
