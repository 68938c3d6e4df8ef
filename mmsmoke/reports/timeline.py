"""Draw a page of what cameras have seen: a week and a day of each, and its events."""

import csv
import os
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from html import escape
from pathlib import Path

from mmsmoke.utils import DataError, atomic_path, read_json
from mmsmoke.visualization.html import data_uri, html_page, html_table

PAGE = 'timeline.html'
MINUTES = 10
"""Says how long a bar in the chart of a day is, of its largest share; in a week it is six times."""
WIDTH, HEIGHT = 960, 120
MOST_STRIPS = 40
"""Strips in the page, of the newest events; tables name all."""
STYLE = """
svg { width: 100%; height: auto; display: block; margin: 0.3rem 0; }
figure img { max-height: 15rem; width: auto; }
figure { margin: 0.5rem 0 1.2rem; } figcaption { font-size: 0.85rem; color: #555; }
"""
SHARE, EVENT, GRID, TEXT = '#0072b2', '#d55e00', '#dddddd', '#555555'
Bins = Mapping[str, Mapping[int, float]]
"""Camera -> number of the bin, from midnight on -> largest share."""


class Timeline:
    """Draw the page of a monitor's folder; days that have not changed are read once.

    Args:
        high: share at which events begin, for a line in the charts; none if 0.
    """

    def __init__(self, out: str | os.PathLike, high: float = 0.0):
        self.out, self.high = Path(out), high
        self.known: dict[Path, tuple[tuple, Bins]] = {}

    def write(self) -> Path:
        """Write ``timeline.html`` of the last week of which there are frames."""
        days = sorted(path.stem for path in self.out.glob('frames/*.csv'))
        last = _date(days[-1]) if days else date.today()
        week = [last - timedelta(days=k) for k in range(6, -1, -1)]
        bins = {day: self._bins(self.out / 'frames' / f'{day}.csv') for day in week}
        events = [
            row for row in (*_rows(self.out / 'events.csv'), *self._open())
            if _time(row['end']).date() >= week[0] and _time(row['start']).date() <= last
        ]  # fmt: skip
        cameras = sorted({name for found in bins.values() for name in found})
        cameras += sorted({row['camera'] for row in events} - {*cameras})
        events.sort(key=lambda row: row['end'], reverse=True)
        newest = events[:MOST_STRIPS]
        shown = {row['id'] for row in newest}
        parts = [
            f'<h1>Smoke, {week[0]:%d.%m.} to {last:%d.%m.%Y}</h1>',
            '<p>Bars: the largest share of smoke, in percent of what is watched. '
            'Orange: events. Where there is no bar, there was no picture.</p>',
        ]
        for camera in cameras:
            mine = [row for row in events if row['camera'] == camera]
            parts.append(self._section(camera, week, bins, mine, shown))
        if not cameras:
            parts.append('<p>Nothing has been seen yet.</p>')
        path = self.out / PAGE
        with atomic_path(path) as temporary:
            page = html_page('Smoke', '\n'.join(parts), STYLE, "document.body.dataset.ready = '1'")
            temporary.write_text(page, encoding='utf-8')
        return path

    def _section(
        self, camera: str, week: list[date], bins: Mapping[date, Bins], events: list[dict],
        shown: set[str],
    ) -> str:  # fmt: skip
        last = week[-1]
        hours = {}
        for k, day in enumerate(week):
            for number, share in bins[day].get(camera, {}).items():
                place = k * 24 + number * MINUTES // 60
                hours[place] = max(share, hours.get(place, 0.0))
        day_bins = bins[last].get(camera, {})
        count = 24 * 60 // MINUTES
        marks = [(k / 7, f'{day:%a %d.%m.}') for k, day in enumerate(week)]
        clock = [(hour / 24, f'{hour}:00') for hour in range(0, 24, 3)]
        top = max([self.high, *hours.values(), *day_bins.values()], default=0.0) or 1.0
        charts = (
            (f'{camera}: week', hours, 7 * 24, marks, week[0], 7),
            (f'{camera}: {last:%d.%m.%Y}', day_bins, count, clock, last, 1),
        )
        drawn = [
            f'<figure><figcaption>{escape(title)}</figcaption>'
            f'{_svg(title, found, number, top, self.high, ticks, _spans(events, start, length))}'
            '</figure>'
            for title, found, number, ticks, start, length in charts
        ]
        return '\n'.join([f'<h2>{escape(camera)}</h2>', *drawn, self._events(events, shown)])

    def _events(self, events: list[dict], shown: set[str]) -> str:
        if not events:
            return '<p>No events.</p>'
        rows = [
            [f'{_time(row["start"]):%d.%m. %H:%M:%S}',
             row.get('now') or f'{_time(row["end"]):%d.%m. %H:%M:%S}',
             row['peak'], f'{_time(row["peak_time"]):%H:%M:%S}', row['mean'], row['frames'],
             row['confidence']]
            for row in events
        ]  # fmt: skip
        header = ['start', 'end', 'peak, %', 'at', 'mean, %', 'frames', 'confidence']
        parts = [html_table(header, rows, title='events')]
        for row in events:
            path = self.out / row['strip'] if row['strip'] else None
            if row['id'] in shown and path is not None and path.is_file():
                text = f'{_time(row["start"]):%d.%m. %H:%M:%S}, peak {row["peak"]} %'
                source = data_uri(path.read_bytes(), 'image/jpeg')
                parts.append(
                    f'<figure><img alt="{escape(row["id"])}" src="{source}">'
                    f'<figcaption>{escape(text)}</figcaption></figure>'
                )
        return '\n'.join(parts)

    def _open(self) -> list[dict]:
        """Return the events that are not final yet."""
        path = self.out / 'open_events.json'
        rows = read_json(path) if path.exists() else []
        return [row | dict(strip='', now='not over') for row in rows]

    def _bins(self, path: Path) -> Bins:
        if not path.exists():
            return {}
        stat = path.stat()
        mark = stat.st_mtime_ns, stat.st_size
        if path in self.known and self.known[path][0] == mark:
            return self.known[path][1]
        found: dict[str, dict[int, float]] = {}
        for row in _rows(path):
            moment = row['time']  # 2026-11-30T12:05:59.250+00:00
            number = (int(moment[11:13]) * 60 + int(moment[14:16])) // MINUTES
            of_camera = found.setdefault(row['camera'], {})
            of_camera[number] = max(of_camera.get(number, 0.0), float(row['share']))
        self.known = {one: what for one, what in self.known.items() if one.exists()}
        self.known[path] = mark, found
        return found


def _svg(
    title: str, bins: Mapping[int, float], count: int, top: float, high: float,
    ticks: list[tuple[float, str]], spans: list[tuple[float, float]],
) -> str:  # fmt: skip
    """Draw bars of shares, events above them, and a line at the share at which events begin."""
    base, step = HEIGHT - 20, WIDTH / count
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for place, text in ticks:
        x = round(place * WIDTH, 1)
        parts.append(f'<line x1="{x}" x2="{x}" y1="10" y2="{base}" stroke="{GRID}"/>')
        parts.append(
            f'<text x="{x + 3}" y="{HEIGHT - 6}" font-size="11" fill="{TEXT}">{text}</text>'
        )
    for number, share in sorted(bins.items()):
        height = max(1.0, share / top * (base - 22))  # seen, though nothing was there
        x, y, width = number * step, base - height, max(1.0, step - 1)
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{SHARE}"/>'
        )
    if high:
        y = round(base - high / top * (base - 22), 1)
        parts.append(
            f'<line x1="0" x2="{WIDTH}" y1="{y}" y2="{y}" stroke="{EVENT}" stroke-dasharray="4 4"/>'
        )
    for first, last in spans:
        width = max(2.0, (last - first) * WIDTH)
        parts.append(
            f'<rect x="{first * WIDTH:.1f}" y="10" width="{width:.1f}" height="8" fill="{EVENT}"/>'
        )
    parts.append(f'<text x="3" y="9" font-size="9" fill="{TEXT}">{top:.3g} %</text></svg>')
    return ''.join(parts)


def _spans(events: list[dict], first: date, days: int) -> list[tuple[float, float]]:
    """Return where events lie in so many days, in shares of them."""
    begin = datetime.combine(first, time())
    spans = []
    for row in events:
        ends = [
            (_time(row[name]).replace(tzinfo=None) - begin) / timedelta(days=days)
            for name in ('start', 'end')
        ]
        if ends[1] >= 0 and ends[0] <= 1:
            spans.append((max(0.0, ends[0]), min(1.0, ends[1])))
    return spans


def _rows(path: Path) -> list[dict]:
    """Return the rows of a table that is being written: a last line without an end is left out."""
    if not path.exists():
        return []
    text = path.read_text(encoding='utf-8')
    return list(csv.DictReader(text[: text.rfind('\n') + 1].splitlines()))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DataError(f'frames/{text}.csv is not named by a day') from error
