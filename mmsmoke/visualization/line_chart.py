"""Draw a line chart as SVG text that needs no other file and holds its own numbers."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from html import unescape

COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999')
"""Told apart by colour-blind eyes, too (Okabe and Ito)."""
_STYLE = {
    'svg.hashsalt': 'mmsmoke',  # otherwise names of parts are random
    'svg.fonttype': 'none',
    'font.sans-serif': ['DejaVu Sans'],
    'text.parse_math': False,
    'axes.autolimit_mode': 'round_numbers',
    'axes.xmargin': 0,
    'axes.ymargin': 0,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.grid.axis': 'y',
    'grid.color': '#dddddd',
    'lines.markersize': 5,
    'legend.frameon': False,
    'legend.labelspacing': 0.3,
    'legend.labelcolor': 'linecolor',
}
_NO_DATE = dict.fromkeys(('Date', 'Creator', 'Format', 'Type'))


def line_chart(
    lines: Mapping[str, Sequence[tuple[float, float, float]]],
    x_title: str,
    y_title: str,
    log_x: bool = False,
) -> str:
    """Draw lines with bars through their points, the names beside them.

    The same numbers give the same bytes, with one version of matplotlib.

    Args:
        lines: name -> points (x, y, half length of the bar through it); lines without points are
            left out. Where no y is negative, no bar is, either.
        log_x: equal ratios of x are equally far apart; x must be positive.
    """
    from matplotlib import style  # half a second to import
    from matplotlib.figure import Figure

    lines = {name: sorted(points) for name, points in lines.items() if points}
    never_negative = min(y for points in lines.values() for _, y, _ in points) >= 0
    file = io.StringIO()
    with style.context(['default', _STYLE]):
        axes = Figure((6, 4)).add_subplot(xlabel=x_title, ylabel=y_title)
        axes.set_prop_cycle(color=COLOURS)
        for name, points in lines.items():
            x, y, up = zip(*points, strict=True)
            down = [min(one) for one in zip(y, up, strict=True)] if never_negative else up
            axes.errorbar(x, y, (down, up), label=name, marker='o', elinewidth=1, clip_on=False)
        if log_x:
            axes.set_xscale('log')
            axes.xaxis.set_major_formatter('{x:g}')
            axes.xaxis.set_minor_formatter('')
        axes.legend(loc='center left', bbox_to_anchor=(1, 0.5))
        numbers = {
            name: [[float(f'{value:.5g}') for value in point] for point in points]
            for name, points in lines.items()
        }
        about = dict(Title=f'{y_title} over {x_title}', Description=json.dumps(numbers))
        axes.figure.savefig(file, format='svg', bbox_inches='tight', metadata=_NO_DATE | about)
    return file.getvalue()


def charted(svg: str) -> list[str]:
    """Return a chart's title and numbers as text; they are the same with all of matplotlib's
    versions, which place letters differently by fractions of a pixel."""
    return [unescape(text) for text in re.findall('<(?:title|dc:description)>(.*?)</', svg)]
