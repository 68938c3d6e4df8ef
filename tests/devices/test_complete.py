"""Nothing new escapes: what deals with tensors is tried on the GPU, or README.md says why not."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import test_functions_on_cuda
import test_metrics_on_cuda
import test_refiners_on_cuda
import test_remedies_on_cuda
import test_runs_on_cuda
import tiny_models
from mmengine.registry import Registry

import mmsmoke.functional
import mmsmoke.registry

EXCEPTIONS = dict(
    re.findall(
        r'^\| `(\w+)` +\| (.+?) +\|$',
        Path(__file__).with_name('README.md').read_text(encoding='utf-8'),
        re.MULTILINE,
    )
)


def types_in(config) -> set[str]:
    """Return our types that a config names anywhere."""
    if isinstance(config, dict):
        named = str(config.get('type', ''))
        mine = {named.removeprefix('mmsmoke.')} if named.startswith('mmsmoke.') else set()
        return mine.union(*map(types_in, config.values()))
    return set().union(*map(types_in, config)) if isinstance(config, list | tuple) else set()


TABLES = (
    test_functions_on_cuda.CASES,
    test_functions_on_cuda.NUMBERS,
    test_metrics_on_cuda.CASES,
    test_refiners_on_cuda.REFINERS,
    test_refiners_on_cuda.HOOKS_THAT_REFINE,
)
NETWORKS = [
    tiny_models.CLASSIFIERS,
    tiny_models.AFFINITY_NETS,
    tiny_models.SEGMENTORS,
    tiny_models.VIEWS,
    test_refiners_on_cuda.CLIP,
]
TRIED = {name.split('-')[0] for table in TABLES for name in table}
TRIED |= types_in(NETWORKS) | {*test_refiners_on_cuda.ALSO_TRIED, *test_runs_on_cuda.TRIED}
TRIED |= {*test_remedies_on_cuda.TRIED}


def functions() -> set[str]:
    """Return the names of all functions of the ground floor that have to do with tensors."""
    found = set()
    for module in pkgutil.iter_modules(mmsmoke.functional.__path__):
        members = vars(importlib.import_module(f'mmsmoke.functional.{module.name}'))
        for name, one in members.items():
            public = inspect.isfunction(one) and not name.startswith('_')
            if (
                public
                and one.__module__.startswith('mmsmoke.')
                and 'Tensor' in str(inspect.signature(one))
            ):
                found.add(name)
    return found


def registered() -> set[str]:
    registries = [one for one in vars(mmsmoke.registry).values() if isinstance(one, Registry)]
    found = set()
    for registry in registries:
        if registry.scope == 'mmsmoke':
            registry.import_from_location()
            kinds = {name: kind for name, kind in registry.module_dict.items()}
            found |= {
                name for name, kind in kinds.items() if kind.__module__.startswith('mmsmoke.')
            }
    return found


@pytest.mark.parametrize('known', [functions, registered])
def test_everything_is_tried_or_has_a_reason_why_not(known):
    assert known() - TRIED - EXCEPTIONS.keys() == set()


def test_exceptions_are_real():
    assert EXCEPTIONS and not EXCEPTIONS.keys() & TRIED
    assert EXCEPTIONS.keys() <= functions() | registered()
