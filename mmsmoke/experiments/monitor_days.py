"""Measure ways to make events of what a monitor sees, on drawn days whose events are known.

The model looks at each frame once. The shares of smoke that it finds are kept, and all ways are
tried on these shares, by the monitor's own code.
"""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from mmsmoke.datasets.smokestack.drawing.render import render
from mmsmoke.datasets.smokestack.scenes import DRAWING_VERSION, MOTION_VERSION, Smokestack
from mmsmoke.functional.event_match import Watched, event_numbers
from mmsmoke.functional.events import Event, find_events
from mmsmoke.inference.monitor.settings import MonitorSettings
from mmsmoke.inference.monitor.sources import Frame
from mmsmoke.inference.monitor.watch import Watch
from mmsmoke.utils import UserError, read_json, write_json
from mmsmoke.utils.progress import progress

Seen = Mapping[str, list]
"""Holds what one camera saw: ``times``, ``true`` (1 where there is smoke), shares by ``change``."""

BATCH = 16
"""Frames that the model looks at together."""
CHANGES = (0.0, 6.0, 12.0, 24.0)
HIGHS = tuple(round(0.01 * 1.14**k, 4) for k in range(60))
"""Shares at which an event may begin, in percent: 0.01 to 23."""
AT_ONCE = dict(merge_seconds=(0.0,))
TWO = dict(low=(0.1, 0.25, 0.5, 0.75))
LONG = dict(min_seconds=(120.0, 240.0, 360.0, 480.0))
MERGED = dict(merge_seconds=(240.0, 600.0, 900.0, 1200.0, 1800.0))
MEAN = dict(mean_frames=(2, 3, 4, 8))
MOVING = dict(change=CHANGES[1:])
WAYS: Mapping[str, Mapping[str, Sequence]] = {
    'each frame is an event': dict(**AT_ONCE, gap_seconds=(0.0,)),
    'frames in a row are an event': AT_ONCE,
    'that lasts': AT_ONCE | LONG,
    'two thresholds': AT_ONCE | TWO,
    'gaps merged': MERGED,
    'mean of frames': AT_ONCE | MEAN,
    'what changes': AT_ONCE | MOVING,
    'two thresholds, gaps merged': TWO | MERGED,
    'two thresholds, gaps merged, that lasts': TWO | MERGED | LONG,
    'all of these': TWO | MERGED | LONG | MEAN | MOVING,
}
"""Choices of each way's settings beside ``high``; ``low`` is a part of ``high``, by default 1."""


@dataclass(frozen=True)
class Days:
    """Say what is drawn, as for :func:`~mmsmoke.datasets.smokestack.clip_writer.write_day`."""

    size: int = 128
    hours: float = 24.0
    cameras: int = 4
    every: float = 120.0


def look_at_day(predict: Callable, days: Days, seed: int) -> list[Seen]:
    """Draw a day and let a model look at it.

    Args:
        predict: as for :class:`~mmsmoke.inference.CameraMonitor`.
    """
    source, seen = Smokestack(size=days.size, seed=seed), []
    cameras = source.cameras(days.cameras, days.hours, days.every)
    for frames in progress(cameras, days.cameras, f'day {seed}', unit='camera'):
        shares = {change: [] for change in CHANGES}
        watches = {
            change: Watch('camera', MonitorSettings(change=change), print) for change in CHANGES
        }
        for first in range(0, len(frames), BATCH):
            some = frames[first : first + BATCH]
            pictures = [render(one.layout, days.size).image[..., ::-1].copy() for one in some]
            for one, picture, found in zip(some, pictures, predict(pictures), strict=True):
                frame = Frame('camera', one.time, picture)
                for change, watch in watches.items():
                    shares[change].append(watch.look(frame, found)[0])
        seen.append(
            dict(
                times=[one.time for one in frames],
                true=[int(one.smokes) for one in frames],
                **{str(change): found for change, found in shares.items()},
            )
        )
    return seen


def kept_day(
    predict: Callable, days: Days, folder: str | os.PathLike, model: str, seed: int
) -> list[Seen]:
    """Return what :func:`look_at_day` gives, from the folder if it is there.

    Args:
        model: what tells the model from others, such as the hash of its checkpoint.
    """
    path = Path(folder) / f'day_{seed}.json'
    made = dict(
        **asdict(days), model=model, changes=[*CHANGES], drawing=DRAWING_VERSION,
        motion=MOTION_VERSION,
    )  # fmt: skip
    if path.exists():
        kept = read_json(path)
        if kept['made'] != made:
            raise UserError(f'{path} was seen otherwise; name another --work-dir')
        return kept['seen']
    seen = look_at_day(predict, days, seed)
    write_json(path, dict(made=made, seen=seen))
    return seen


def events_of(seen: Seen, settings: MonitorSettings) -> list[Event]:
    """Return the events that a monitor with these settings makes of what a camera saw."""
    watch, events = Watch('camera', settings, print), []
    for time, share in zip(seen['times'], seen[str(float(settings.change))], strict=True):
        events += watch.follow(time, share)
    return events + watch.finish()


def numbers_of(day: Sequence[Seen], settings: MonitorSettings) -> dict[str, float]:
    """Compare the events of cameras with the true ones; see EventMetric for the numbers."""
    return event_numbers(
        [
            Watched(
                seen['times'],
                events_of(seen, settings),
                find_events(seen['times'], seen['true'], 1, 1),
            )
            for seen in day
        ]
    )


def tries_of(way: Mapping[str, Sequence], count: int) -> list[MonitorSettings]:
    """Return settings to try: all that a way has, or so many of them drawn by lot."""
    names = ('high', *way)
    every = [*product(HIGHS, *way.values())]
    drawn = random.Random(0).sample(every, count) if len(every) > count else every
    tries = []
    for values in drawn:
        given = dict(zip(names, values, strict=True))
        given['low'] = given['high'] * given.get('low', 1.0)
        tries.append(MonitorSettings(**given))
    return tries


def measure_ways(
    day_of: Callable[[int], list[Seen]],
    seeds: Sequence[int],
    val_seeds: Sequence[int],
    tries: int = 60,
    ways: Mapping[str, Mapping[str, Sequence]] = WAYS,
) -> list[dict]:
    """Choose the settings of each way by ``f1`` on validation days, then measure them on others.

    Args:
        day_of: gives the day of a seed.
        tries: settings that each way may try.

    Returns:
        Of each way, the last of which is the monitor as it stands, ``way``, ``tries``, ``settings``
        (those that it sets), ``val`` (numbers on the validation days) and ``test`` (on each day).
    """
    _check(seeds, val_seeds, tries)
    val = [camera for seed in val_seeds for camera in day_of(seed)]
    test = [day_of(seed) for seed in seeds]

    candidates = {name: (('high', 'low', *way), tries_of(way, tries)) for name, way in ways.items()}
    candidates["the monitor's defaults"] = ((), [MonitorSettings()])
    found = []
    for name, (keys, settings) in progress(candidates.items(), text='ways', unit='way'):
        scores = [numbers_of(val, one) for one in settings]
        best = max(range(len(scores)), key=lambda k: scores[k].get('f1', 0.0))
        found.append(
            dict(
                way=name,
                tries=len(settings),
                settings={key: getattr(settings[best], key) for key in dict.fromkeys(keys)},
                val=scores[best],
                test=[numbers_of(day, settings[best]) for day in test],
            )
        )
    return found


def _check(seeds: Sequence[int], val_seeds: Sequence[int], tries: int) -> None:
    if tries < 1:
        raise UserError(f'tries must be at least 1, not {tries}')
    if not seeds or not val_seeds:
        raise UserError('name at least one seed of each kind')
    every = [*seeds, *val_seeds]
    if twice := sorted({seed for seed in every if every.count(seed) > 1}):
        raise UserError(f'seed {twice[0]} is named twice: each day is for choosing or for testing')
