"""The examples of a report in a real browser."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from browser import Browser, find_chromium

from mmsmoke.functional import IGNORE
from mmsmoke.visualization.examples_html import (
    examples_html,
    examples_script,
    examples_style,
    pack_example,
)
from mmsmoke.visualization.html import html_page

COLOUR = (255, 128, 0)
SIZE = (40, 100)
LEFT, RIGHT, TAB = ('ArrowLeft', 37), ('ArrowRight', 39), ('Tab', 9)

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium: apt-get install chromium runs these tests'
)


def example(
    name='a.png', split='val', group='best', outcome='found', iou=50.0, smoke=True, label=None
):
    """Scores rise from left to right; the truth is the right half, below an unknown strip."""
    picture = np.full((*SIZE, 3), 90, np.uint8)
    scores = np.tile(np.arange(SIZE[1]) / 100, (SIZE[0], 1)) * smoke
    truth = np.zeros(SIZE, np.uint8)
    truth[:, 50:] = smoke
    truth[:10] = IGNORE
    mask = np.zeros(SIZE, np.uint8)
    mask[:, 75:] = 1
    return dict(
        name=name, split=split, group=group, outcome=outcome, says='smoke', iou=iou,
        tested='segmentor' if label is None else 'pseudo mask',
        **pack_example(picture, scores, mask, truth, label),
    )  # fmt: skip


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp('profile'))
    yield one
    one.close()


@pytest.fixture(scope='module')
def server():
    """Has nothing; ``asked`` holds what it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            one.asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as one:
        one.asked = []
        Thread(target=one.serve_forever).start()
        yield one
        one.shutdown()


@pytest.fixture
def page(tmp_path, browser):
    """Function that writes a page of examples and opens it."""

    def open_it(*examples, threshold=0.6, segmentor=True, fragment='', more=''):
        body = examples_html(examples or [example()], threshold, dict(smoke=COLOUR), segmentor)
        body += f'<h2 id="last">the end</h2>{more}'
        path = tmp_path / 'index.html'
        page = html_page('test', body, examples_style(), examples_script())
        path.write_text(page, encoding='utf-8')
        browser.open(path, fragment)
        return browser

    return open_it


def tinted(browser, title, figure=0):
    """Share of the pixels of a panel that are no longer grey, in percent."""
    return browser.run(f"""(() => {{
        const canvas = document.querySelectorAll('figure')[{figure}]
            .querySelector('canvas[aria-label^="{title} of"]');
        const pixels = canvas.getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height).data;
        let count = 0;
        for (let i = 0; i < pixels.length; i += 4) count += pixels[i] > pixels[i + 2] + 40;
        return 400 * count / pixels.length; }})()""")


def caption(browser, figure=0):
    return browser.run(f"document.querySelectorAll('figcaption')[{figure}].textContent")


def shown(browser):
    return browser.run(
        "[...document.querySelectorAll('figure')].filter(f => !f.hidden)"
        ".map(f => f.querySelector('figcaption').textContent.split(' · ')[0])"
    )


def choose(browser, name, value):
    browser.run(f"""(() => {{ const control = document.getElementById('{name}');
        control.value = '{value}'; control.dispatchEvent(new Event('input')); }})()""")


@pytest.mark.parametrize('threshold', [0.25, 0.6, 0.9])
def test_the_slider_thresholds_the_map_anew(page, threshold):
    browser = page()
    assert tinted(browser, 'CAM > threshold') == pytest.approx(39, abs=1.1)  # 0.61 … 0.99
    choose(browser, 'threshold', round(100 * threshold))
    called = 99 - 100 * threshold
    assert tinted(browser, 'CAM > threshold') == pytest.approx(called, abs=1.1)
    iou = 100 * min(called, 50) / max(called, 50)
    measured = float(caption(browser).split('CAM: IoU ')[1].split(' ')[0])
    assert measured == pytest.approx(iou, abs=2.5)
    status = browser.run("document.getElementById('status').textContent")
    assert f'CAM > {threshold:.2f}' in status and f'{measured:.1f} %' in status


def test_the_slider_is_reached_and_moved_by_keys(page):
    browser = page()
    browser.run('document.activeElement.blur()')
    reached = []
    for _ in range(4):
        browser.press(*TAB)
        reached.append(browser.run('document.activeElement.id'))
    assert reached == ['split', 'group', 'outcome', 'threshold']
    browser.press(*RIGHT, times=5)
    assert browser.run("document.getElementById('threshold-value').textContent") == '0.65'
    before = tinted(browser, 'CAM > threshold')
    browser.press(*LEFT, times=20)
    assert tinted(browser, 'CAM > threshold') > before + 15
    browser.run("document.getElementById('reset').click()")
    assert browser.run("document.getElementById('threshold-value').textContent") == '0.60'


def test_masks_and_truth_are_what_was_packed(page):
    browser = page()
    assert tinted(browser, 'segmentor') == pytest.approx(25, abs=1.1)
    assert tinted(browser, 'truth') == pytest.approx(37.5, abs=1.1)  # the strip is not known
    assert tinted(browser, 'image') == 0
    assert 'segmentor: IoU 50.0' in caption(browser)


def test_filters_and_their_state_in_the_address(page):
    examples = [
        example('a', 'val', 'best', 'found'),
        example('b', 'test', 'best', 'found'),
        example('c', 'test', 'worst', 'missed', iou=0.0),
        example('d', 'test', 'clear', 'rightly clear', iou=None, smoke=False),
    ]
    browser = page(*examples)
    assert shown(browser) == ['a', 'b', 'c', 'd']
    choose(browser, 'split', 'test')
    assert shown(browser) == ['b', 'c', 'd']
    choose(browser, 'outcome', 'missed')
    assert shown(browser) == ['c']
    address = browser.run('location.hash')
    assert 'split=test' in address and 'outcome=missed' in address
    page(*examples, fragment='#split=val&threshold=25')
    assert shown(browser) == ['a']
    assert tinted(browser, 'CAM > threshold') == pytest.approx(74, abs=1.1)
    page(*examples, fragment='#split=elsewhere&threshold=high')  # a link to another report
    assert len(shown(browser)) == 4
    assert browser.run("document.getElementById('threshold-value').textContent") == '0.60'
    choose(browser, 'group', 'clear')
    assert shown(browser) == ['d']
    assert 'mean IoU' not in browser.run("document.getElementById('status').textContent")


def test_a_link_may_be_followed_in_the_open_page(page):
    browser = page(example('a', 'val'), example('b', 'test'))
    browser.run("""new Promise(done => {
        addEventListener('hashchange', () => done(true));
        location.hash = 'split=test&threshold=25'; })""")
    assert shown(browser) == ['b']
    assert browser.run("document.getElementById('threshold-value').textContent") == '0.25'


def test_a_link_to_a_section_leads_there(page):
    browser = page(*[example()] * 8, fragment='#last')
    assert browser.run('location.hash') == '#last'
    assert browser.run("document.getElementById('last').getBoundingClientRect().top") < 900
    choose(browser, 'threshold', 30)  # until the reader changes something
    assert 'threshold=30' in browser.run('location.hash')


def test_without_truth_or_segmentor_nothing_is_made_up(page):
    unknown = example(iou=None)
    unknown |= pack_example(np.zeros((*SIZE, 3), np.uint8), np.ones(SIZE))
    browser = page(unknown, segmentor=False)
    panels = browser.run(
        "[...document.querySelectorAll('canvas')].map(c => c.ariaLabel.split(' of ')[0])"
    )
    assert panels == ['image', 'CAM', 'CAM > threshold']
    assert 'IoU' not in caption(browser)
    text = browser.run("document.querySelector('.panels').innerText")
    assert text.split('\n')[-1] == 'truth: not known'


def test_it_asks_for_nothing_and_complains_of_nothing(page):
    name = '</script><b>x<!--<script>'
    browser = page(example(name))
    choose(browser, 'threshold', 25)
    browser.run("document.getElementById('reset').click()")
    other = [entry for entry in browser.log if not entry.startswith(('file:', 'data:', 'about:'))]
    assert not other
    assert len([entry for entry in browser.log if entry.startswith('file:')]) == 1
    assert shown(browser) == [name]


RUNS = "document.title = 'ours'"


@pytest.mark.parametrize(
    'name',
    [
        f'<img src="x" onerror="{RUNS}">.png',
        f'"><script>{RUNS}</script>',
        f"' onfocus={RUNS.replace(' ', '')} autofocus='",
        f'</select></script><svg onload="{RUNS}">',
    ],
)
def test_a_name_is_text_wherever_it_stands(page, name):
    one = example(name, name, name, name)
    browser = page({**one, 'says': name, 'tested': name})
    choose(browser, 'split', name.replace("'", "\\'"))
    assert shown(browser) == [name] and browser.run('document.title') == 'test'
    assert browser.run("document.querySelectorAll('img, svg, script:not(#data)').length") == 1
    assert not [entry for entry in browser.log if 'Content Security' in entry]


@pytest.mark.parametrize(
    'element',
    [
        f'<script>{RUNS}</script>',
        f'<img src="data:x" onerror="{RUNS}">',
        f'<a id="link" href="javascript:{RUNS}">x</a>',
        f'<iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>',
        '<img src="http://SERVER/x.png">',
        '<link rel="stylesheet" href="http://SERVER/x.css">',
        '<script src="http://SERVER/x.js"></script>',
        '<base href="http://SERVER/"><img src="x.png">',
        '<form id="form" action="http://SERVER/"></form>',
        '<style>h2 { display: none }</style>',
        '<p style="display: none">x</p>',
    ],
)
def test_what_is_not_ours_neither_runs_nor_asks(page, server, element):
    """The policy holds even where an element has come into the page."""
    server.asked.clear()
    browser = page(more=element.replace('SERVER', f'127.0.0.1:{server.server_port}'))
    browser.run("document.getElementById('link')?.click()")
    browser.run("document.getElementById('form')?.submit()")
    browser.run('new Promise(done => setTimeout(done, 100))')
    assert not server.asked
    assert browser.run('document.title') == 'test'
    hidden = "[...document.querySelectorAll('h2, p')].filter(e => !e.checkVisibility()).length"
    assert browser.run(hidden) == 0
    assert any('Content Security Policy' in entry for entry in browser.log)
    choose(browser, 'threshold', 25)  # the page itself works
    assert tinted(browser, 'CAM > threshold') == pytest.approx(74, abs=1.1)


@pytest.mark.parametrize('label', [None, np.zeros(SIZE, np.uint8)])
@pytest.mark.parametrize(('width', 'columns'), [(1280, None), (390, 2)])
def test_it_fits_a_screen_and_a_phone(page, width, columns, label):
    """All panels in a row on a screen, with a pseudo mask, too."""
    browser = page(example(label=label))
    browser.resize(width, 800, mobile=width < 640)
    try:
        across = browser.run(
            "getComputedStyle(document.querySelector('.panels')).gridTemplateColumns"
        )
        used = [width for width in across.split() if width != '0px']
        assert len(used) == (columns or (5 if label is None else 6))
        assert browser.run('document.documentElement.scrollWidth') <= width
    finally:
        browser.resize(1280, 900)


def test_pictures_are_no_larger_than_the_page_needs():
    wide = pack_example(np.zeros((500, 1000, 3), np.uint8), np.zeros((500, 1000)))
    assert len(wide['maps']) < 2000


def test_what_was_learned_from_shows_its_pseudo_mask(page):
    label = np.zeros(SIZE, np.uint8)
    label[:, :25], label[:, 25:35] = 1, IGNORE
    browser = page(example(), example('b.png', split='train', label=label))
    titles = (
        "[...document.querySelectorAll('figure')].map(f => f.querySelectorAll('canvas').length)"
    )
    assert browser.run(titles) == [5, 6]
    assert tinted(browser, 'pseudo mask', 1) == pytest.approx(25, abs=1)
    assert tinted(browser, 'segmentor', 1) == pytest.approx(25, abs=1)  # the right end
    left = browser.run("""(() => {
        const canvas = document.querySelector('canvas[aria-label^="pseudo mask"]');
        const at = (x) => [...canvas.getContext('2d').getImageData(x, 20, 1, 1).data].slice(0, 3);
        return [at(10), at(30), at(60)]; })()""")
    smoke, open_pixel, clear = left
    assert smoke[0] > smoke[2] + 40 and clear == [90, 90, 90]
    assert open_pixel[0] == open_pixel[2] > 100
    assert 'pseudo mask: IoU 50.0' in caption(browser, 1)
    assert 'segmentor: IoU 50.0' in caption(browser, 0)
