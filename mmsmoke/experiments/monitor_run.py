"""Compare the events that a monitor wrote down with labels of the frames that it saw."""

import csv
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from mmsmoke.datasets.labels import label_of
from mmsmoke.datasets.smokestack.clip_writer import FRAME_TRUTH
from mmsmoke.datasets.table import read_table
from mmsmoke.functional.event_match import Watched, compare_events, event_numbers
from mmsmoke.functional.events import Event, find_events
from mmsmoke.inference.monitor.records import EVENTS
from mmsmoke.inference.monitor.sources import time_of_name
from mmsmoke.utils import DataError, UserError

EXCERPT = ('camera', 'start', 'end', 'peak', 'mean', 'frames', 'confidence')


def compare_run(
    out: str | os.PathLike, data_root: str | os.PathLike, utc: bool = False
) -> tuple[list[dict], list[dict]]:
    """Return the numbers of each camera, and what is true of each event.

    Args:
        out: folder of a monitor, whose cameras are called as in the column ``camera``.
        data_root: data set whose images hold their times in their names. Smoke is where the column
            ``frame_truth`` says so, or where there is none ``smoke``.
        utc: names hold universal time; otherwise that of this computer.
    """
    found, true = _events(Path(out) / EVENTS), _truth(data_root, utc)
    if unknown := sorted(found.keys() - true.keys()):
        raise UserError(f'{data_root} knows no camera {unknown[0]!r}, but {", ".join(true)}')
    cameras, events = [], []
    for camera, series in sorted(true.items()):
        times, shown = zip(*sorted(series), strict=True)
        known = find_events(times, shown, 1, 1)
        rows = found.get(camera, [])
        watched = Watched(times, [event for event, _ in rows], known)
        numbers = event_numbers([watched])
        right, _ = compare_events(watched.found, known)
        cameras.append(
            {
                'camera': camera,
                'true events': len(known),
                'events': len(rows),
                'false alarms': right.count(False),
                'true events found, %': _rounded(numbers.get('recall')),
                'delay, s': _rounded(numbers.get('delay')),
            }
        )
        for (_, row), good in zip(rows, right, strict=True):
            shown = {name: row[name] for name in EXCERPT}
            events.append(shown | {'smoke': 'yes' if good else 'no'})
    return cameras, sorted(events, key=lambda event: event['start'])


def _events(path: Path) -> dict[str, list[tuple[Event, dict]]]:
    """Return events and their rows by camera, in order."""
    if not path.is_file():
        raise UserError(f'{path} not found: name the folder of a monitor that has found something')
    found = {}
    with open(path, encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            start, end, peak = (_seconds(row[name]) for name in ('start', 'end', 'peak_time'))
            share, mean = float(row['peak']), float(row['mean'])
            event = Event(start, end, share, peak, mean, int(row['frames']))
            found.setdefault(row['camera'], []).append((event, row))
    return {camera: sorted(rows, key=lambda one: one[0].start) for camera, rows in found.items()}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _truth(data_root: str | os.PathLike, utc: bool) -> Mapping[str, list[tuple[float, int]]]:
    rows, problems = read_table(data_root, ['smoke'])
    if problems:
        raise DataError(problems[0])
    true: dict[str, list] = {}
    for row in rows:
        camera, time = row.columns.get('camera'), time_of_name(row.image, utc)
        if not camera or time is None:
            missing = 'column camera' if not camera else 'time in its name'
            raise DataError(f'{data_root}: {row.image} has no {missing}')
        try:
            truth = label_of(row.columns.get(FRAME_TRUTH) or row.columns['smoke'])
        except DataError as error:
            raise DataError(f'{data_root}: {row.image}: {FRAME_TRUTH} {error}') from error
        true.setdefault(camera, []).append((time, truth))
    return true


def _rounded(value: float | None) -> float | str:
    return '–' if value is None else round(value, 1)
