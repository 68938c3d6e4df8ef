"""Tell what the variants of a sweep change, and what they start from."""

import re
from collections.abc import Callable, Mapping, Sequence

from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.utils import UserError

from .derived import KINDS

MADE = re.compile(rf'\{{({"|".join(KINDS)}):([^}}:]+):?([^}}]*)\}}')
"""Matches what stands in a variant for something that another one makes; see :data:`KINDS`."""


def choose_variants(variants: Mapping, names: Sequence[str] | None) -> dict:
    """Return these variants and all that they start from, in the order of the file."""
    wanted, more = set(), list(variants if names is None else names)
    for name in more:
        if name not in variants:
            raise UserError(f'no variant {name}; there are {", ".join(variants)}')
    while more:
        wanted.add(name := more.pop())
        more += (named_by(variants, name) & variants.keys()) - wanted
    return {name: changes for name, changes in variants.items() if name in wanted}


def needs_of(variants: Mapping, seeds: Sequence[int]) -> dict:
    """Return, for each (variant, seed), those whose checkpoints it starts from."""
    return {
        (name, seed): {(other, seed) for other in _needed(variants, name)}
        for seed in seeds
        for name in variants
    }


def _needed(variants: Mapping, name: str) -> set[str]:
    """List the variants whose checkpoints this one starts from."""
    for kind, other, _ in MADE.findall(str(variant_changes(variants, name))):
        if '/' in other and kind != 'best':
            raise UserError(f'variant {name}: only {{best:…}} may name a run of another sweep')
    needed = {other for other in named_by(variants, name) if '/' not in other}
    for other in needed:
        if other not in variants or other == name:
            raise UserError(f'variant {name} needs {other}, which is no other variant of the sweep')
    return needed


def named_by(variants: Mapping, name: str) -> set[str]:
    """List the variants that one names, also those of other sweeps."""
    base = variants[name].get('trained_as')
    made = MADE.findall(str(variant_changes(variants, name)))
    return {*(other for _, other, _ in made), *([base] if base else [])}


def variant_changes(variants: Mapping, name: str) -> dict:
    """Return what a variant changes, after what the one changes that it is trained as."""
    changes = dict(variants[name])
    base = changes.pop('trained_as', None)
    changes.pop('retrain', None)
    if base is None:
        return changes
    if 'trained_as' in variants.get(base, {}):
        raise UserError(f'variant {name} is trained as {base}, which is not trained itself')
    return {**variants.get(base, {}), **changes}


def configured_variant(sweep: Config, changes: dict, seed: int) -> Config:
    """Return the config of a run, with the sweep's options, the variant's changes and the seed."""
    config = variant_config(sweep, changes)
    options = {**sweep.get('options', {}), **changes, **sweep.last_word, 'randomness.seed': seed}
    return load_config(config, options=options)


def variant_config(sweep: Config, changes: dict) -> str:
    """Take the config that a variant changes out of the changes, and return it."""
    config = changes.pop('config', sweep.config)
    return sweep.get('configs', {}).get(config, config)


def filled(node, fill: Callable[[re.Match], str]):
    """Return a value with every ``{best:…}`` and its like in it filled in."""
    if isinstance(node, str):
        return MADE.sub(fill, node)
    if isinstance(node, Mapping):
        return {key: filled(value, fill) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [filled(value, fill) for value in node]
    return node
