"""Keep a config in a checkpoint as data, and read one back without running it.

mmengine keeps the Python text of the config, which is executed by whoever reads it. Our
checkpoints hold JSON beside it. Of the others the text is parsed, and must be literals only.
"""

import ast
import json
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from .checkpoints import WAY_ON, is_trusted
from .errors import UserError
from .stored_components import StoredConfig, foreign_parts, unknown_parts

KEY = 'mmsmoke_cfg'
_TUPLE = '__tuple__'
_MAKERS = dict(dict=dict, list=list, tuple=tuple, set=set)


def config_to_json(cfg: Config) -> str | None:
    """Return the config as JSON, or None if it holds what JSON cannot, such as classes."""
    try:
        return json.dumps(_tagged(cfg.to_dict()))
    except TypeError:
        return None


def _tagged(value: Any) -> Any:
    """Mark tuples, which JSON does not know and some transforms ask for."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError('JSON has no such keys')
        return {key: _tagged(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {_TUPLE: [_tagged(item) for item in value]}
    return [_tagged(item) for item in value] if isinstance(value, list) else value


def _untagged(value: dict) -> Any:
    return tuple(value[_TUPLE]) if set(value) == {_TUPLE} else value


def stored_config(meta: Mapping, name: Any) -> Config | None:
    """Return the config that a checkpoint holds, with the packages imported that it may name.

    Args:
        meta: of the checkpoint.
        name: of the checkpoint, for messages.
    """
    stored, text = meta.get(KEY), meta.get('cfg')
    if not stored and not text:
        return None
    try:
        if not stored and is_trusted():
            return Config.fromstring(text, '.py')
        content = json.loads(stored, object_hook=_untagged) if stored else parse_literals(text)
        cfg = Config(content) if is_trusted() else StoredConfig(content)
        imports = _imports(cfg)
    except UserError as error:
        raise _refusal(name, error) from error
    except (TypeError, ValueError, KeyError, RecursionError, MemoryError) as error:
        raise UserError(f'{name}: its config cannot be read: {error}') from error
    if not is_trusted():
        for part in foreign_parts(cfg, imports):
            raise _refusal(name, f'it names {part}')
    try:
        import_modules_from_strings(imports)
    except ImportError as error:
        raise UserError(f'{name}: its config needs a module that is not there: {error}') from error
    if not is_trusted():
        for part in unknown_parts(cfg):
            raise _refusal(name, f'it names {part}, which is not on the list of what may be built')
    return cfg


def _refusal(name: Any, reason: Any) -> UserError:
    return UserError(f'{name}: its config is refused: {reason}. {WAY_ON}')


def _imports(cfg: Config) -> list[str]:
    imports = cfg.get('custom_imports') or {}
    imports = imports.get('imports', []) if isinstance(imports, Mapping) else []
    return [imports] if isinstance(imports, str) else list(map(str, imports))


def parse_literals(text: str) -> dict:
    """Return the values of a config's Python text, of which nothing is executed.

    Allowed are assignments of literals, and ``dict(…)``, ``list(…)``, ``tuple(…)``, ``set(…)`` of
    such. UserError names the first line that is anything else.
    """
    try:
        lines = ast.parse(text).body
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise UserError(f'it is no Python text: {error}') from error
    content = {}
    for line in lines:
        targets = line.targets if isinstance(line, ast.Assign) else []
        if len(targets) != 1 or not isinstance(targets[0], ast.Name):
            raise _no_literal(line)
        content[targets[0].id] = _value(line.value)
    return content


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List() | ast.Tuple() | ast.Set():
            make = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
            return make(_value(item) for item in node.elts)
        case ast.Dict() if None not in node.keys:
            keys = (_value(key) for key in node.keys)
            return dict(zip(keys, map(_value, node.values), strict=True))
        case ast.Call(func=ast.Name(id=name)) if name in _MAKERS and len(node.args) <= 1:
            if all(item.arg for item in node.keywords) and (name == 'dict' or not node.keywords):
                named = {item.arg: _value(item.value) for item in node.keywords}
                return _MAKERS[name](*map(_value, node.args), **named)
    raise _no_literal(node)


def _no_literal(node: ast.AST) -> UserError:
    code = ast.unparse(node).splitlines()[0]
    return UserError(f'line {node.lineno} is code, not a value ({code[:60]})')
