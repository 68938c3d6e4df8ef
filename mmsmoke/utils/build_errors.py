"""Tell which setting of a config is wrong when a component cannot be built of it."""

import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS, Registry

from .checkpoints import cannot_download
from .configs import settings_of, short_reason
from .errors import UserError
from .options import RUN_KEYS, places_of


@contextmanager
def naming_settings(cfg: Config) -> Iterator[None]:
    """Turn errors of building what a config describes into a UserError that names its key.

    All other errors, as those of a forward pass, stay what they are.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        message = _message(cfg, error)
        if message is None:
            raise
        raise UserError(message) from error


def _message(cfg: Config, error: Exception) -> str | None:
    built = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == 'build_from_cfg':
            built = frame.f_locals
    if built is None:
        return _of_an_argument(cfg, error)
    kind = built['cfg'].get('type') if isinstance(built['cfg'], Mapping) else None
    kind = getattr(kind, '__name__', kind)
    place = _place_of(cfg, built['cfg'])
    where = f'{place} ({kind})' if place and kind else str(place or kind)
    if isinstance(error, KeyError) and 'is not in the' in str(error):
        return f'{where}: no component is called {kind}{_guess(kind, built["registry"])}'
    if type(error).__module__.startswith('huggingface_hub'):
        from huggingface_hub.constants import HF_HUB_CACHE

        what = f'of {kind} {built["cfg"].get("model_name", "")}'.strip()
        return cannot_download(what, error, HF_HUB_CACHE, f'{place}.pretrained=False')
    reason = re.sub(r'^class `\w+` in \S+: |^\w*\.?__init__\(\) ', '', short_reason(error))
    return f'{where}: {reason}'


def _of_an_argument(cfg: Config, error: Exception) -> str | None:
    """Name a setting that mmengine passes on without building, as an argument of a DataLoader."""
    if str(error) == 'None is not a callable object':  # what it finds for an unknown optimizer
        kind = cfg.optim_wrapper.optimizer.type
        return f'optim_wrapper.optimizer: no component is called {kind}{_guess(kind, OPTIMIZERS)}'
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    places = places_of(cfg, RUN_KEYS, found[1]) if found and isinstance(error, TypeError) else []
    return f'{places[0]}: {short_reason(error)}' if places else None


def _place_of(cfg: Config, wanted: Any) -> str | None:
    """Return the dotted name of the settings that something was built of, if it can be told."""
    plain = _plain(wanted)
    if not isinstance(plain, dict):
        return None
    same_kind = {
        name: value
        for name, _, value in settings_of(cfg._cfg_dict)
        if isinstance(value, Mapping) and value.get('type') == plain.get('type')
    }
    exact = [name for name, value in same_kind.items() if _plain(value) == plain]
    if exact:
        return exact[0]
    return next(iter(same_kind)) if len(same_kind) == 1 else None


def _plain(node: Any) -> Any:
    return node.to_dict() if hasattr(node, 'to_dict') else node


def _guess(kind: str, registry: Registry) -> str:
    """Return a question for a known name that is close to the one that is not."""
    scope, _, name = str(kind).rpartition('.')
    lineage = [registry]
    while lineage[-1].parent:
        lineage.append(lineage[-1].parent)
    searched = [lineage[-1].children[scope]] if scope in lineage[-1].children else lineage
    known = [key for each in searched for key in each.module_dict]
    close = get_close_matches(name, known, 1, 0.7)
    return f'; did you mean {f"{scope}.{close[0]}".lstrip(".")}?' if close else ''
