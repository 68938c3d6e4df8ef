"""Packages whose names are imported when they are first used, so that nobody waits for torch."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__all__``, ``__getattr__`` and ``__dir__`` of a package.

    No name may be that of a module of the package, which stands in its place once it is imported.

    Args:
        package: its ``__name__``.
        modules: relative names of modules, and what comes from each, as in
            ``{'.crf': ['dense_crf']}``.
    """
    source = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in source:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        return getattr(import_module(source[name], package), name)

    return sorted(source), get, lambda: sorted(source)
