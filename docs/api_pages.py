"""Write the API reference: one page for each room of mmsmoke, made of its docstrings."""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import groupby
from types import ModuleType
from typing import Any

import mmsmoke


def api_pages() -> Mapping[str, str]:
    """Return the reStructuredText of each room's page by the page's name, as ``api/models``."""
    rooms = [room.name for room in pkgutil.iter_modules(mmsmoke.__path__)]
    pages = {f'api/{room}': _page(f'mmsmoke.{room}') for room in rooms}
    return {name: page for name, page in pages.items() if page}


def public_name(thing: Any) -> str:
    """Return the name under which a class or function is documented.

    It is that of its room, if the room offers it, as ``mmsmoke.models.CAMHead``; otherwise that of
    its module.
    """
    room = '.'.join(thing.__module__.split('.')[:2])
    offered = getattr(import_module(room), thing.__qualname__, None) is thing
    return f'{room if offered else thing.__module__}.{thing.__qualname__}'


def heading(title: str, line: str) -> str:
    return f'{title}\n{line * len(title)}\n'


def _page(room: str) -> str:
    modules = list(_modules(room))
    things = [thing for module in modules for thing in _documented(module)]
    names = [public_name(thing) for thing in things or _offered(room)]
    if not names:
        return ''
    table = ''.join(f'   ~{name.removeprefix(f"{room}.")}\n' for name in names)
    lines = [heading(room, '='), _module(room), f'.. autosummary::\n   :nosignatures:\n\n{table}']
    for section, parts in groupby(modules, _section):
        entries = [line for module in parts for line in _entries(module, room, section)]
        if entries and section != room:
            lines.append(heading(section.rpartition('.')[2], '-'))
        lines += entries
    return '\n'.join(lines)


def _section(module: ModuleType) -> str:
    return '.'.join(module.__name__.split('.')[:3])


def _entries(module: ModuleType, room: str, section: str) -> Iterator[str]:
    things = list(_documented(module))
    name = module.__name__
    if name != room and (things or module.__doc__):
        if name != section and module.__doc__:
            yield f'.. rubric:: {name}\n'
        # a module may have the name of the function that its package offers
        hidden = getattr(import_module(room), name.rpartition('.')[2], module) is not module
        yield _module(name, '   :no-index:\n' if hidden else '')
    yield from map(_entry, things)


def _module(name: str, options: str = '') -> str:
    return f'.. automodule:: {name}\n{options}'


def _entry(thing: Any) -> str:
    if inspect.isclass(thing):
        parents = '' if thing.__bases__ == (object,) else '   :show-inheritance:\n'
        return f'.. autoclass:: {public_name(thing)}\n   :members:\n{parents}'
    return f'.. autofunction:: {public_name(thing)}\n'


def _modules(room: str) -> Iterator[ModuleType]:
    module = import_module(room)
    yield module
    for found in pkgutil.walk_packages(getattr(module, '__path__', ()), f'{room}.'):
        yield import_module(found.name)


def _documented(module: ModuleType) -> Iterator[Any]:
    """Yield the public classes and functions with a docstring that a module defines."""
    for name, thing in vars(module).items():
        of_module = getattr(thing, '__module__', None) == module.__name__
        if (
            of_module
            and not name.startswith('_')
            and hasattr(thing, '__qualname__')
            and thing.__doc__
        ):
            yield thing


def _offered(room: str) -> list[Any]:
    """Return what a room without anything of its own takes from others."""
    module = import_module(room)
    return [getattr(module, name) for name in getattr(module, '__all__', ())]
