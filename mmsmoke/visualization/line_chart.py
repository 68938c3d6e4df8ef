"""A line chart as SVG text: the same numbers give the same bytes, and it needs no other file."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 640, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 168, 16, 52
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999')
"""Told apart by colour-blind eyes, too (Okabe and Ito)."""


def line_chart(
    lines: Mapping[str, Sequence[tuple[float, float, float]]],
    x_title: str,
    y_title: str,
    log_x: bool = False,
) -> str:
    """
    Args:
        lines: name -> points (x, y, half length of the bar through it); lines without points are
            left out. Where no y is negative, no bar is, either.
        log_x: equal ratios of x are equally far apart; x must be positive.
    """
    lines = {name: sorted(points) for name, points in lines.items() if points}
    every = [point for points in lines.values() for point in points]
    floor = 0 if min(y for _, y, _ in every) >= 0 else -math.inf
    xs = (_log_ticks if log_x else _ticks)([x for x, _, _ in every])
    ys = _ticks([end for _, y, bar in every for end in (max(y - bar, floor), y + bar)])

    def place(x: float, y: float) -> tuple[float, float]:
        right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        start, at, end = map(math.log, (xs[0], x, xs[-1])) if log_x else (xs[0], x, xs[-1])
        across = (at - start) / (end - start)
        up = (y - ys[0]) / (ys[-1] - ys[0])
        return _LEFT + across * (right - _LEFT), bottom - up * (bottom - _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="13" role="img">',
        f'<title>{escape(y_title)} over {escape(x_title)}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
    ]
    for y in ys:
        (x1, at), (x2, _) = place(xs[0], y), place(xs[-1], y)
        parts.append(_line(x1, at, x2, at, '#dddddd'))
        parts.append(_text(x1 - 8, at + 4, _number(y), 'end'))
    for x in xs:
        at, bottom = place(x, ys[0])
        parts.append(_line(at, bottom, at, bottom + 5, '#555555'))
        parts.append(_text(at, bottom + 20, _number(x), 'middle'))
    for place_of, (name, points) in zip(_labels(lines, place), lines.items(), strict=True):
        colour = COLOURS[list(lines).index(name) % len(COLOURS)]
        spots = [place(x, y) for x, y, _ in points]
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y, bar), spot in zip(points, spots, strict=True):
            if bar:
                low, high = place(x, max(y - bar, floor))[1], place(x, y + bar)[1]
                parts.append(_line(spot[0], low, spot[0], high, colour))
            parts.append(f'<circle cx="{spot[0]:.1f}" cy="{spot[1]:.1f}" r="3.5" fill="{colour}"/>')
        parts.append(_text(_WIDTH - _RIGHT + 12, place_of + 4, name, 'start', colour))
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_title, 'middle'))
    parts.append(
        f'<text x="16" y="{middle:.1f}" text-anchor="middle" fill="#222222" '
        f'transform="rotate(-90 16 {middle:.1f})">{escape(y_title)}</text>'
    )
    return '\n'.join([*parts, '</svg>']) + '\n'


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers, at most eight, that span the values."""
    low, high = min(values), max(values)
    if high - low < 1e-9:
        low, high = low - 1, high + 1
    raw = (high - low) / 6
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _log_ticks(values: Sequence[float]) -> list[float]:
    """1, 2, 5, 10, 20 … that span the values."""
    low, high = min(values) * (1 + 1e-9), max(values) * (1 - 1e-9)
    lowest, highest = (math.floor(math.log10(value)) for value in (low, high))
    every = [float(f'{t}e{power}') for power in range(lowest, highest + 2) for t in (1, 2, 5)]
    first = max(index for index, tick in enumerate(every) if tick <= low)
    last = max(first + 1, min(index for index, tick in enumerate(every) if tick >= high))
    return every[first : last + 1]


def _labels(lines: Mapping, place) -> list[float]:
    """Where the names stand: beside the last point of each line, but never on each other."""
    ends = [place(*points[-1][:2])[1] for points in lines.values()]
    placed, lowest = [0.0] * len(ends), -math.inf
    for index in sorted(range(len(ends)), key=ends.__getitem__):
        placed[index] = lowest = max(ends[index], lowest + 16)
    excess = max(0.0, lowest - (_HEIGHT - _BOTTOM))
    return [y - excess for y in placed]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="1"/>'
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str = '#222222') -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f'{escape(text)}</text>'
    )


def _number(value: float) -> str:
    return f'{value:.10g}'
