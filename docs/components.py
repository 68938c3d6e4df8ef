"""Write the page of components: all that mmsmoke adds to the registries of OpenMMLab."""

import inspect
import re

from api_pages import heading, public_name
from mmengine.registry import Registry

import mmsmoke.registry

OURS = 'mmsmoke.'
PASSED_ON = {'kwargs', 'others'}  # names of what a constructor leaves to that of its parent
TEXT = re.compile(r'^ {4}(\S[^:\n]*): (.*\n?(?: {5,}.*\n?)*)', re.M)


def components() -> dict[str, list[type]]:
    """Return our types by registry; those of MODELS by their part of mmsmoke.models, too."""
    groups = {}
    for name, registry in vars(mmsmoke.registry).items():
        if not isinstance(registry, Registry):
            continue
        registry.import_from_location()
        for kind in registry.module_dict.values():
            if not kind.__module__.startswith(OURS):  # of whoever builds the site
                continue
            part = f': {kind.__module__.split(".")[2]}' if name == 'MODELS' else ''
            groups.setdefault(f'{name}{part}', []).append(kind)
    return {name: sorted(groups[name], key=lambda kind: kind.__name__) for name in sorted(groups)}


def components_page() -> str:
    """Return the reStructuredText of the page of components."""
    groups = components()
    lines = [
        heading('Components', '='),
        'These types are what mmsmoke adds to the registries of OpenMMLab. A config names one by '
        "``type``, as in ``dict(type='mmsmoke.CAMHead', num_classes=1)``; its other keys are the "
        'arguments below. The link behind a description leads to the whole of it.\n',
        'By registry: ' + ', '.join(f'`{group}`_' for group in groups) + '.\n',
    ]
    for group, kinds in groups.items():
        lines += [heading(group, '-'), *map(_entry, kinds)]
    return '\n'.join(lines)


def arguments(kind: type) -> tuple[dict[str, inspect.Parameter], type | None]:
    """Return the arguments of a type, and the class of others that takes the rest, if any.

    What a constructor of ours passes on is followed to that of its parent.
    """
    found = {}
    for owner in kind.__mro__[:-1]:
        if '__init__' not in vars(owner):
            continue
        if not owner.__module__.startswith(OURS):
            return found, owner
        _, *own = inspect.signature(owner.__init__).parameters.values()
        named = [one for one in own if one.kind != one.VAR_POSITIONAL and one.name not in PASSED_ON]
        found = {one.name: one for one in named} | found
        if not PASSED_ON & {one.name for one in own}:
            break
    return found, None


def argument_texts(kind: type) -> dict[str, str]:
    """Return what the docstrings of a type and of its parents say about arguments."""
    texts = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.startswith(OURS):
            _, _, section = (inspect.getdoc(parent) or '').partition('Args:\n')
            for names, text in TEXT.findall(section.partition('\n\n')[0]):
                texts |= dict.fromkeys(names.split(', '), ' '.join(text.split()))
    return texts


def _entry(kind: type) -> str:
    room, _, name = public_name(kind).rpartition('.')
    summary = inspect.getdoc(kind).partition('\n\n')[0].replace('\n', ' ')
    lines = [
        heading(f'{OURS}{name}', '~'),
        f'.. currentmodule:: {room}\n',
        f'{summary} (:class:`{name}`)\n',
    ]
    known, rest = arguments(kind)
    if known:
        lines.append('.. list-table::\n   :header-rows: 1\n   :widths: 20 20 60\n')
        texts = argument_texts(kind)
        rows = [('argument', 'default', 'meaning')]
        rows += [(_code(one), _default(one), texts.get(name, '')) for name, one in known.items()]
        lines += [f'   * - {name}\n     - {default}\n     - {text}' for name, default, text in rows]
    if rest:
        package = rest.__module__.partition('.')[0]
        lines.append(f'\nAll other arguments are those of ``{package}.{rest.__name__}``.')
    return '\n'.join(lines) + '\n'


def _code(argument: inspect.Parameter) -> str:
    return f'``{argument.replace(annotation=argument.empty, default=argument.empty)!s}``'


def _default(argument: inspect.Parameter) -> str:
    if argument.kind == argument.VAR_KEYWORD:
        return ''
    return 'required' if argument.default is argument.empty else f'``{argument.default!r}``'
