"""Define a step, one thing that is done once, and the settings by which it is known again."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmsmoke.utils import differences, plain, write_json

from .screen import say

RESULTS, DETAILS, SETTINGS, CONFIG = 'results.json', 'details.json', 'settings.json', 'config.py'
VERSION = 2
"""Changes when the settings of fingerprints get another meaning."""


@dataclass(frozen=True)
class Kind:
    """Describe a sort of step.

    Attributes:
        function: called as ``function(folder, **arguments)``, in a process of its own; returns the
            result, of plain types. Where arguments have a Config, it is given that of the file
            ``config.py`` in the folder.
        reads: called with the same arguments, returns hashes of the content of what it will read.
        command: the words that a user would type for the same after ``python``, given the folder
            and the arguments.
        parallel: the function can be run by several processes with a GPU each.
    """

    function: Callable[..., dict]
    reads: Callable[..., dict] = lambda **_: {}
    command: Callable[..., list] | None = None
    parallel: bool = False


@dataclass(frozen=True, eq=False)
class Step:
    """Describe one thing that the engine does once.

    Attributes:
        name: folder below that of the plan; what it is called on the screen.
        kind: name of one of :data:`~mmsmoke.experiments.work.KINDS`.
        arguments: those of its function, made of the results of its inputs, by their keys.
        inputs: steps that must be done before.
        title: said when it begins.
    """

    name: str
    kind: str
    arguments: Callable[[dict[str, dict]], dict[str, Any]]
    inputs: Mapping[str, 'Step'] = field(default_factory=dict)
    title: str = ''


def with_inputs(steps: Iterable[Step]) -> dict[str, Step]:
    """Return steps and all that they need by name, each after its inputs."""
    found = {}

    def add(step: Step) -> None:
        if step.name not in found:
            for one in step.inputs.values():
                add(one)
            found[step.name] = step

    for step in steps:
        add(step)
    return found


def fingerprint(kind: str, arguments: Mapping, reads: Mapping) -> dict:
    """Return all that decides what a step makes, but the code, in plain types."""
    settings = {
        key: value.to_dict() if isinstance(value, Config) else value
        for key, value in arguments.items()
    }
    return plain(dict(version=VERSION, kind=kind, **settings, reads=reads))


def begin(folder: Path, settings: dict, inputs: Iterable[Path] = ()) -> dict | None:
    """Open the folder of a step; return its result if it was finished with these settings.

    A folder that was begun with other settings is put aside, and what changed is said. Only what
    the step begins with stays where it is.

    Args:
        inputs: folders of the steps that were done before, some of which may lie in this one.
    """
    settings, path = plain(settings), folder / SETTINGS
    if path.is_file():
        changed = differences(json.loads(path.read_text()), settings)
        if changed:
            aside = _free_name(folder)
            say(f'{folder}: settings changed ({"; ".join(changed[:3])}): it runs again')
            say(f'what was there is kept as {aside}')
            folder.rename(aside)
            for inner in inputs:
                if folder in inner.parents:
                    inner.parent.mkdir(parents=True, exist_ok=True)
                    (aside / inner.relative_to(folder)).rename(inner)
    if not path.is_file():
        write_json(path, settings)
    results = folder / RESULTS
    return json.loads(results.read_text()) if results.is_file() else None


def _free_name(folder: Path) -> Path:
    number = 1
    while (aside := folder.with_name(f'{folder.name}.old-{number}')).exists():
        number += 1
    return aside
