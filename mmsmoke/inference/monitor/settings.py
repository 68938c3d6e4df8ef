"""Say how cameras are watched: all settings of a monitor, their defaults and what they mean."""

import argparse
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from mmsmoke.functional.events import EventRule
from mmsmoke.utils import UserError, read_json

NAME = re.compile(r'[A-Za-z0-9][\w.-]*', re.ASCII)


def _setting(default, text: str, metavar: str | None = None):
    return field(default=default, metadata=dict(help=text, metavar=metavar))


@dataclass(frozen=True)
class MonitorSettings:
    """Hold the settings of a monitor; shares are percent of what is watched."""

    high: float = _setting(1.0, 'share at which an event begins, in percent of what is watched')
    low: float = _setting(0.5, 'share below which it ends')
    min_seconds: float = _setting(0.0, 'events that last less are dropped')
    merge_seconds: float = _setting(1800.0, 'events with at most this between them are one')
    gap_seconds: float = _setting(1800.0, 'an event ends where no picture comes for longer')
    mean_frames: int = _setting(1, 'mean of the shares of so many frames decides; 1 is off')
    change: float = _setting(
        0.0, 'only pixels count that differ from the background by so many grey levels; 0 is off'
    )
    background_seconds: float = _setting(
        60.0, 'the background goes one grey level towards the picture in this time'
    )
    seconds: float = _setting(1.0, 'time between two frames taken from videos and streams')
    patience: float = _setting(10.0, 'age up to which a file that cannot be read is waited for')
    frozen_seconds: float = _setting(300.0, 'a picture that stays the same for longer is ignored')
    smoke: str = _setting('', "class that is smoke (the model's first)", 'CLASS')
    zones: str = _setting('', 'JSON file of zones and ignored areas, by camera', 'FILE')
    utc: bool = _setting(False, "times in file names are universal time, not this computer's")
    batch_size: int = _setting(8, 'pictures at a time, of all cameras')
    clip_frames: int = _setting(60, 'pictures in the clip of an event, about; 0 is none')
    before_frames: int = _setting(3, 'pictures from before the event in its clip')
    page_seconds: float = _setting(300.0, 'time between two drawings of timeline.html')
    max_gb: float = _setting(10.0, 'size of the folder; the oldest clips and strips go first')
    webhook: str = _setting(
        '',
        'address that each event is sent to as JSON, when it has begun and when it is final',
        'URL',
    )
    command: str = _setting(
        '', 'program that is called in the same way, with the JSON on its standard input; '
        '{event} stands for the id', '"PROGRAM …"',
    )  # fmt: skip

    def __post_init__(self):
        for name in ('mean_frames', 'batch_size'):
            if getattr(self, name) < 1:
                raise UserError(f'{name} must be at least 1, got {getattr(self, name)}')
        for one in fields(self):
            value = getattr(self, one.name)
            if not isinstance(value, str) and not 0 <= value < math.inf:
                raise UserError(f'{one.name} must not be negative, got {value:g}')
        if not self.low > 0:
            raise UserError('low must be above 0: otherwise no event would end')
        self.rule()

    def rule(self) -> EventRule:
        try:
            names = ('high', 'low', 'min_seconds', 'merge_seconds', 'gap_seconds')
            return EventRule(**{name: getattr(self, name) for name in names})
        except ValueError as error:
            raise UserError(str(error)) from error


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for each setting; one that is not given is None."""
    for one in fields(MonitorSettings):
        option, text = f'--{one.name.replace("_", "-")}', one.metadata['help']
        if one.type is bool:
            parser.add_argument(option, action='store_true', default=None, help=text)
            continue
        shown = f'{text} ({one.default:g})' if one.type in (int, float) else text
        metavar = one.metadata['metavar'] or 'N'
        parser.add_argument(option, type=one.type, metavar=metavar, help=shown)


def read_settings(
    path: str | os.PathLike | None, options: Mapping
) -> tuple[dict[str, str], MonitorSettings]:
    """Return the cameras and settings of a JSON file, changed by the options that are not None."""
    content = {} if path is None else read_json(path)
    if not isinstance(content, dict):
        raise UserError(f'{path} must hold an object: {{"cameras": {{…}}, "high": 1, …}}')
    cameras = content.pop('cameras', {})
    if not isinstance(cameras, dict) or not all(isinstance(one, str) for one in cameras.values()):
        raise UserError(f'{path}: cameras must be an object of names and sources')
    kinds = {one.name: one.type for one in fields(MonitorSettings)}
    for name, value in content.items():
        if name not in kinds:
            raise UserError(f'{path}: unknown setting {name!r}; there are {", ".join(kinds)}')
        kind = (int, float) if kinds[name] is float else kinds[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kinds[name] is not bool):
            raise UserError(f'{path}: {name} must be {kinds[name].__name__}, got {value!r}')
        content[name] = kinds[name](value)
    given = {name: value for name, value in options.items() if name in kinds and value is not None}
    return cameras, MonitorSettings(**{**content, **given})


def named_cameras(pairs: Sequence[str]) -> dict[str, str]:
    """Return cameras by name, of texts as ``north=/data/north``."""
    cameras = {}
    for pair in pairs:
        name, equals, source = pair.partition('=')
        if not equals or not source:
            raise UserError(f'say --camera NAME=SOURCE, not {pair!r}')
        if name in cameras:
            raise UserError(f'two cameras are called {name!r}')
        cameras[name] = source
    return cameras


def check_names(cameras: Mapping[str, str]) -> None:
    """Raise if there is no camera, or one whose name cannot be that of a folder."""
    if not cameras:
        raise UserError('no camera is named')
    for name in cameras:
        if not NAME.fullmatch(name):
            raise UserError(f'a camera is named by letters, digits, ".", "_", "-", not {name!r}')
    if sum(source == '-' for source in cameras.values()) > 1:
        raise UserError('only one camera can be read from standard input')
