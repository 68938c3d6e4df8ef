"""The page of a monitor: what it shows, and that it needs nothing but itself."""

import json
import re
from datetime import date, timedelta

import numpy as np
import pytest
from browser import Browser, find_chromium
from conftest import save

from mmsmoke.reports.timeline import MOST_STRIPS, Timeline
from mmsmoke.utils import DataError

HEADER = (
    'id,camera,start,end,seconds,peak,peak_time,mean,frames,confidence,x,y,x_share,y_share,'
    'strip,clip\n'
)


def write_frames(out, day, shares, camera='north'):
    path = out / 'frames' / f'{day}.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    text = '' if path.exists() else 'time,camera,share\n'
    for minute, share in shares.items():
        text += f'{day}T{minute // 60:02d}:{minute % 60:02d}:00.000+00:00,{camera},{share}\n'
    with open(path, 'a') as file:
        file.write(text)


def write_event(out, start, end, number=0, camera='north', strip=''):
    path = out / 'events.csv'
    text = path.read_text() if path.exists() else HEADER
    text += (
        f'{camera}_{number},{camera},{start}:00.000+00:00,{end}:00.000+00:00,60,4.5,'
        f'{start}:00.000+00:00,3.2,7,0.8,1,2,0.1,0.2,{strip},\n'
    )
    path.write_text(text)


def bars(page):
    """Heights of the bars of each chart."""
    charts = re.findall(r'<svg.*?</svg>', page, re.DOTALL)
    return [
        [float(height) for height in re.findall(r'height="([\d.]+)" fill="#0072b2"', chart)]
        for chart in charts
    ]


def test_bars_are_the_largest_shares(tmp_path):
    write_frames(tmp_path, '2026-03-02', {0: 1.0, 9: 4.0, 10: 2.0, 600: 0.0})
    write_frames(tmp_path, '2026-03-01', {60: 8.0})
    page = Timeline(tmp_path).write().read_text()
    week, day = bars(page)
    top = max(week)
    assert [height / top for height in week] == pytest.approx([1, 0.5, 1 / top], abs=0.01)
    assert [height / top for height in day] == pytest.approx([0.5, 0.25, 1 / top], abs=0.01)
    assert 'Nothing has been seen yet' not in page and '01.03' in page


def test_only_the_last_week_is_shown(tmp_path):
    for k in range(10):
        day = date(2026, 3, 1) + timedelta(days=k)
        write_frames(tmp_path, day, {0: 1.0})
        write_event(tmp_path, f'{day}T10:00', f'{day}T11:00', k)
    page = Timeline(tmp_path).write().read_text()
    week, _ = bars(page)
    assert len(week) == 7 and page.count('<tr>') == 1 + 7
    spans = re.findall(r'height="8"', page)
    assert len(spans) == 7 + 1


def test_days_that_have_not_changed_are_read_once(tmp_path):
    timeline = Timeline(tmp_path)
    write_frames(tmp_path, '2026-03-01', {60: 8.0})
    write_frames(tmp_path, '2026-03-02', {60: 8.0})
    timeline.write()
    first = {path.stem: bins for path, (_, bins) in timeline.known.items()}
    write_frames(tmp_path, '2026-03-02', {70: 4.0})
    timeline.write()
    second = {path.stem: bins for path, (_, bins) in timeline.known.items()}
    assert second['2026-03-01'] is first['2026-03-01']
    assert second['2026-03-02'] == {'north': {6: 8.0, 7: 4.0}}


def test_strips_of_the_newest_events_are_in_the_page(tmp_path):
    write_frames(tmp_path, '2026-03-02', {0: 1.0})
    for k in range(MOST_STRIPS + 3):
        strip = f'events/north/{k}.jpg'
        save(tmp_path / strip, np.zeros((4, 4, 3), np.uint8))
        write_event(tmp_path, f'2026-03-02T10:{k:02d}', f'2026-03-02T10:{k:02d}', k, strip=strip)
    (tmp_path / f'events/north/{MOST_STRIPS}.jpg').unlink()  # made room for others
    page = Timeline(tmp_path).write().read_text()
    assert page.count('data:image/jpeg') == MOST_STRIPS - 1
    assert 'alt="north_2"' not in page and 'alt="north_3"' in page


def test_an_event_that_is_not_over_is_shown(tmp_path):
    write_frames(tmp_path, '2026-03-02', {0: 1.0})
    row = dict.fromkeys(HEADER.strip().split(',')[:-2], 1)
    row |= {name: '2026-03-02T10:00:00.000+00:00' for name in ('start', 'end', 'peak_time')}
    (tmp_path / 'open_events.json').write_text(json.dumps([row | dict(id='a', camera='north')]))
    assert '<td>not over</td>' in Timeline(tmp_path).write().read_text()


def test_a_line_that_is_half_written_is_left_out(tmp_path):
    write_frames(tmp_path, '2026-03-02', {0: 1.0})
    path = tmp_path / 'frames/2026-03-02.csv'
    path.write_text(path.read_text() + '2026-03-02T10:00:00.000+00:00,nor')
    _, day = bars(Timeline(tmp_path).write().read_text())
    assert len(day) == 1


def test_names_do_nothing_in_the_page(tmp_path):
    write_frames(tmp_path, '2026-03-02', {0: 1.0}, '<script>x</script>')
    page = Timeline(tmp_path).write().read_text()
    assert '<script>x' not in page and '&lt;script&gt;x' in page
    assert "default-src 'none'" in page
    (tmp_path / 'frames/zzz.csv').write_text('')
    with pytest.raises(DataError, match=r'zzz.csv is not named by a day'):
        Timeline(tmp_path).write()


def test_a_folder_without_frames_has_a_page(tmp_path):
    assert 'Nothing has been seen yet' in Timeline(tmp_path).write().read_text()


@pytest.mark.skipif(find_chromium() is None, reason='no Chromium')
def test_a_browser_shows_it_and_asks_for_nothing(tmp_path):
    write_frames(tmp_path, '2026-03-02', {0: 1.0, 600: 3.0})
    save(tmp_path / 'events/a.jpg', np.zeros((40, 400, 3), np.uint8))
    write_event(tmp_path, '2026-03-02T10:00', '2026-03-02T10:30', strip='events/a.jpg')
    path = Timeline(tmp_path, high=1.0).write()
    browser = Browser(tmp_path / 'profile', 400, 700)
    try:
        browser.open(path)
        assert [one for one in browser.log if not one.startswith(('file:', 'data:'))] == []
        assert browser.run('document.documentElement.scrollWidth') <= 400
        assert browser.run("document.querySelector('svg').getBoundingClientRect().width") > 300
        assert browser.run("document.querySelector('img').naturalWidth") == 400
    finally:
        browser.close()
