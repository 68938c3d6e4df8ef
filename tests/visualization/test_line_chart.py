import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from math import log

import matplotlib
import pytest

from mmsmoke.visualization import charted, line_chart
from mmsmoke.visualization.line_chart import COLOURS

SVG = '{http://www.w3.org/2000/svg}'
LINES = {'a': [(0, 10, 1), (1, 20, 0), (4, 40, 2)], '<b> & "c"': [(1, 3, 0)]}


def draw(lines, log_x=False):
    return ET.fromstring(line_chart(lines, 'x', 'y', log_x))


def ticks(chart, axis):
    """Where each number beside an axis stands; the sign of a negative one is a minus."""
    found = {}
    for group in chart.iter(f'{SVG}g'):
        number = group.find(f'.//{SVG}text')
        if group.get('id', '').startswith(f'{axis}tick') and number is not None:
            mark = group.find(f'.//{SVG}use')
            found[number.text.replace('−', '-')] = float(mark.get(axis))
    return found


def spots(chart):
    """Points of the first line, without the one in the legend."""
    marks = [one for one in chart.iter(f'{SVG}use') if f'fill: {COLOURS[0]}' in one.get('style')]
    return [(float(one.get('x')), float(one.get('y'))) for one in marks[:-1]]


def test_points_stand_where_the_ticks_say():
    chart = draw({'a': [(0, 10, 0), (1, 20, 0), (4, 40, 0)]})
    xs, ys = ticks(chart, 'x'), ticks(chart, 'y')
    (x0, y0), (_, y1), (x4, y4) = spots(chart)
    assert [x0, x4] == pytest.approx([xs['0.0'], xs['4.0']], abs=0.01)
    assert [y0, y1, y4] == pytest.approx([ys[name] for name in ('10', '20', '40')], abs=0.01)


@pytest.mark.parametrize('name', ['short', 'a name that is far too long for a chart of this width'])
@pytest.mark.parametrize('count', [1, 30])
def test_all_names_lie_in_the_picture(name, count):
    chart = draw({f'{name} {i}': [(0, i, 0), (1, 50 + i / 100, 0)] for i in range(count)})
    *_, width, height = map(float, chart.get('viewBox').split())
    names = [text for text in chart.iter(f'{SVG}text') if name in text.text]
    assert len(names) == count
    for text in names:
        assert 0 < float(text.get('x')) < width - 4 * len(text.text)
        assert 0 < float(text.get('y')) < height
    heights = sorted(float(text.get('y')) for text in names)
    assert all(b - a > 10 for a, b in itertools.pairwise(heights))


def test_one_point_alone_and_names_with_marks():
    chart = draw({'<a> & "b" {$': [(0.1, 5, 0)], 'x$y_0$': [(0.1, 5, 0)], 'nothing': []})
    assert len(spots(chart)) == 1
    texts = {text.text for text in chart.iter(f'{SVG}text')}
    assert {'<a> & "b" {$', 'x$y_0$'} < texts and 'nothing' not in texts


@pytest.mark.parametrize('y, lowest, end', [(3, '0', 0), (-1, '-10', -9)])
def test_no_bar_goes_where_no_value_can_be(y, lowest, end):
    """As shares: a deviation of 8 around 3 % does not mean -5 %."""
    chart = draw({'a': [(0, y, 8), (1, 40, 0)]})
    at = ticks(chart, 'y')
    assert next(iter(at)) == lowest
    bars = [g for g in chart.iter(f'{SVG}g') if g.get('id', '').startswith('LineCollection')]
    bottom, _ = re.findall(r'[ML] \S+ (\S+)', bars[0].find(f'{SVG}path').get('d'))
    assert float(bottom) == pytest.approx(at['0'] - end * (at['40'] - at['0']) / -40, abs=0.1)


@pytest.mark.parametrize(
    'xs, names',
    [
        ((0.3, 1, 10), ['0.1', '1', '10']),
        ((0.001, 0.002), ['0.001', '0.01']),
        ((7, 7), ['1', '10']),
    ],
)
def test_equal_ratios_are_equally_far_apart(xs, names):
    chart = draw({'a': [(x, 1, 0) for x in xs]}, log_x=True)
    at = ticks(chart, 'x')
    assert list(at) == names
    start, end = float(names[0]), float(names[-1])
    for x, (place, _) in zip(xs, spots(chart), strict=True):
        share = log(x / start) / log(end / start)
        expected = at[names[0]] + share * (at[names[-1]] - at[names[0]])
        assert place == pytest.approx(expected, abs=0.01)


def test_the_same_numbers_give_the_same_bytes_whatever_the_user_has_set():
    first = line_chart(LINES, 'x', 'y')
    with matplotlib.rc_context({'lines.linewidth': 9, 'svg.fonttype': 'path'}):
        before = dict(matplotlib.rcParams)
        assert line_chart(LINES, 'x', 'y') == first
        assert dict(matplotlib.rcParams) == before
    assert not re.search(r'20\d\d-\d\d-\d\d', first)  # no date


def test_a_chart_holds_its_title_and_numbers():
    chart = line_chart(LINES, 'P(a | b)', '"y" < 1')
    title, numbers = charted(chart)
    assert title == '"y" < 1 over P(a | b)' and '[4.0, 40.0, 2.0]' in numbers
    other = line_chart(
        {**LINES, 'a': [(0, 10, 1), (1, 20, 0), (4, 40, 2.5)]}, 'P(a | b)', '"y" < 1'
    )
    assert charted(other) != charted(chart) and charted(other)[0] == title
    assert charted('') == []


def test_charts_and_tests_cost_nothing_until_one_is_made():
    code = (
        'import sys, mmsmoke.visualization, mmsmoke.functional, mmsmoke.datasets;'
        'print({"matplotlib.figure", "scipy.stats", "scipy.sparse"} & set(sys.modules))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == 'set()\n'
