import itertools
import math
import xml.etree.ElementTree as ET

import pytest

from mmsmoke.visualization import line_chart
from mmsmoke.visualization.line_chart import COLOURS

SVG = '{http://www.w3.org/2000/svg}'


def draw(lines, **titles):
    return ET.fromstring(line_chart(lines, **{'x_title': 'x', 'y_title': 'y', **titles}))


def spots(chart):
    return [(float(c.get('cx')), float(c.get('cy'))) for c in chart.iter(f'{SVG}circle')]


def test_points_stand_where_the_ticks_say():
    chart = draw({'a': [(0, 10, 0), (1, 20, 0), (4, 40, 0)]})
    ticks = {text.text: text for text in chart.iter(f'{SVG}text')}
    (x0, y0), (_, y1), (x4, y4) = spots(chart)
    assert x0 == float(ticks['0'].get('x')) and x4 == float(ticks['4'].get('x'))
    assert [y0, y1, y4] == [float(ticks[name].get('y')) - 4 for name in ('10', '20', '40')]


@pytest.mark.parametrize('scale', [1e-3, 1, 3.7e5])
def test_everything_lies_in_the_picture(scale):
    chart = draw({'a': [(0, -3 * scale, scale), (0.5, 8 * scale, 2 * scale)]})
    width, height = float(chart.get('width')), float(chart.get('height'))
    for line in chart.iter(f'{SVG}line'):
        for key, end in (('x1', width), ('x2', width), ('y1', height), ('y2', height)):
            assert 0 <= float(line.get(key)) <= end
    texts = [text for text in chart.iter(f'{SVG}text') if text.get('transform') is None]
    assert all(0 <= float(text.get('x')) <= width for text in texts)


def test_names_at_the_same_place_do_not_cover_each_other():
    chart = draw({f'line {i}': [(0, i, 0), (1, 50 + i / 100, 0)] for i in range(8)})
    names = [t for t in chart.iter(f'{SVG}text') if t.text and t.text.startswith('line')]
    heights = sorted(float(text.get('y')) for text in names)
    assert len(heights) == 8
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 15.9


def test_one_point_alone_and_names_with_marks():
    chart = draw({'<a> & b': [(0.1, 5, 0)]}, y_title='IoU, %')
    assert len(spots(chart)) == 1
    assert '<a> & b' in {text.text for text in chart.iter(f'{SVG}text')}


@pytest.mark.parametrize('y, lowest, end', [(3, '0', 0), (-1, '-10', -9)])
def test_no_bar_goes_where_no_value_can_be(y, lowest, end):
    """As shares: a deviation of 8 around 3 % does not mean -5 %."""
    chart = draw({'a': [(0, y, 8), (1, 40, 0)]})
    texts = [text for text in chart.iter(f'{SVG}text') if text.get('text-anchor') == 'end']
    assert texts[0].text == lowest
    ticks = {float(text.text): float(text.get('y')) - 4 for text in texts}
    (bar,) = [line for line in chart.iter(f'{SVG}line') if line.get('stroke') == COLOURS[0]]
    share = (end - -10) / 50 if end else 0
    top, bottom = ticks[40], ticks[float(lowest)]
    assert float(bar.get('y1')) == pytest.approx(bottom + share * (top - bottom), abs=0.1)


@pytest.mark.parametrize(
    'xs, ticks',
    [
        ((0.3, 1, 10), ['0.2', '0.5', '1', '2', '5', '10']),
        ((0.001, 0.002), ['0.001', '0.002']),
        ((7, 7), ['5', '10']),
        ((20, 20), ['20', '50']),
    ],
)
def test_equal_ratios_are_equally_far_apart(xs, ticks):
    chart = draw({'a': [(x, 1, 0) for x in xs]}, log_x=True)
    below = [text for text in chart.iter(f'{SVG}text') if text.get('text-anchor') == 'middle']
    names = {text.text: float(text.get('x')) for text in below if text.text not in 'xy'}
    assert list(names) == ticks
    (start, end), of = (names[name] for name in (ticks[0], ticks[-1])), math.log
    for x, (at, _) in zip(xs, spots(chart), strict=True):
        share = of(x / float(ticks[0])) / of(float(ticks[-1]) / float(ticks[0]))
        assert at == pytest.approx(start + share * (end - start), abs=0.1)
