"""Masks and zones in a real browser, by brush and clicks."""

import json

import numpy as np
import pytest
from browser import Browser, find_chromium
from conftest import save_palette
from PIL import Image
from pressing import in_order, press, strike, text, to_window
from serving import SIZE, served, write_folder

from mmsmoke.datasets.zones import zone_masks

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium: apt-get install chromium runs these tests'
)


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp('profile'))
    yield one
    one.close()


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / 'plant')


def painted(places, radius):
    """Return the pixels whose centres are within a brush that goes from place to place."""
    mask = np.zeros(SIZE, bool)
    for (x0, y0), (x1, y1) in zip(places, places[1:] or places, strict=False):
        for share in np.linspace(0, 1, 200):
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
            mask |= (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
    return mask


def read(path):
    with Image.open(path) as file:
        assert file.mode == 'P'
        return np.array(file)


UNTOUCHED = "document.body.dataset.unsaved === '0'"


def test_brush_and_eraser_give_the_mask(browser, folder):
    name = in_order(folder)[0]
    mask = folder / 'masks' / name
    with served(folder) as server:
        browser.open(server.address, '#masks/0')
        route = [(12, 12), (40, 20), (40, 34)]
        browser.drag(*(to_window(browser, *place) for place in route))
        browser.wait_for(UNTOUCHED)
        first, smoke = read(mask), painted(route, 12)
        assert first.shape == SIZE and set(np.unique(first)) == {0, 1}
        assert ((first == 1) != smoke).mean() < 0.004  # the rim, for the window has whole pixels
        press(browser, 'i', *'[[[[')
        browser.drag(to_window(browser, 12, 12))
        press(browser, 'e')
        browser.drag(to_window(browser, 40, 34))
        browser.wait_for(UNTOUCHED)
        radius = 12 / 1.25**4
        expected = np.where(painted([(12, 12)], radius), 255, smoke)
        expected[painted([(40, 34)], radius)] = 0
        assert (read(mask) != expected).mean() < 0.008
        press(browser, 'u')
        browser.wait_for(UNTOUCHED)
        assert (read(mask)[34, 40], read(mask)[12, 12]) == (1, 255)
        press(browser, 'u', 'u')
        browser.wait_for(UNTOUCHED)
        assert not read(mask).any()


def test_proposals_are_accepted_rejected_or_corrected(browser, folder, tmp_path):
    names = in_order(folder)
    proposal = np.zeros(SIZE, np.uint8)
    proposal[10:20, 10:30] = 1
    for name in names[:3]:
        save_palette(tmp_path / 'out/masks' / name, proposal)
    with served(folder, proposals=tmp_path / 'out') as server:
        browser.open(server.address, '#masks/0')
        assert text(browser, 'state').startswith('proposed')
        press(browser, 'a')
        assert text(browser, 'name') == names[1]
        assert np.array_equal(read(folder / 'masks' / names[0]), proposal)
        press(browser, 'r')
        browser.wait_for(UNTOUCHED)
        assert not read(folder / 'masks' / names[1]).any()
        press(browser, 'ArrowRight')
        assert not (folder / 'masks' / names[2]).exists()
        browser.drag(to_window(browser, 50, 40))
        press(browser, 'ArrowRight')
        corrected = read(folder / 'masks' / names[2])
        assert corrected[15, 20] == 1 and corrected[40, 50] == 1
        browser.open(server.address, '#masks/1')
        assert text(browser, 'state') == 'mask, saved'


def test_a_mask_that_changes_elsewhere_is_not_lost_unsaid(browser, folder):
    name = in_order(folder)[0]
    with served(folder) as server:
        browser.open(server.address, '#masks/0')
        save_palette(folder / 'masks' / name, np.ones(SIZE, np.uint8))
        browser.drag(to_window(browser, 5, 5))
        browser.wait_for("!document.getElementById('message').hidden")
        assert 'changed elsewhere' in text(browser, 'message')
        assert read(folder / 'masks' / name).all()
        browser.drag(to_window(browser, 6, 6))
        browser.wait_for(UNTOUCHED)
        assert not read(folder / 'masks' / name).all()


def mouse(browser, kind, place):
    x, y = to_window(browser, *place)
    browser.send(
        'Input.dispatchMouseEvent', type=f'mouse{kind}', x=x, y=y, button='left', buttons=1,
        clickCount=1,
    )  # fmt: skip


@pytest.mark.parametrize(('key', 'then'), [('ArrowRight', 'masks/1'), ('l', 'labels/0')])
def test_a_conflict_on_leaving_a_picture_keeps_its_strokes(browser, folder, key, then):
    name = in_order(folder)[0]
    with served(folder) as server:
        browser.open(server.address, '#masks/0')
        save_palette(folder / 'masks' / name, np.zeros(SIZE, np.uint8))
        for kind in ('Moved', 'Pressed'):
            mouse(browser, kind, (5, 5))
        press(browser, key)  # while the stroke is not ended
        browser.wait_for(f"location.hash === '#{then}'")
        assert f'Draw on in {name} to replace' in text(browser, 'message')
        mouse(browser, 'Released', (5, 5))
        assert not read(folder / 'masks' / name).any()
        press(browser, 'ArrowLeft', 'm')
        assert text(browser, 'state') == 'not saved: changed elsewhere'
        browser.drag(to_window(browser, 50, 40))
        browser.wait_for(UNTOUCHED)
        assert read(folder / 'masks' / name)[5, 5] == read(folder / 'masks' / name)[40, 50] == 1


INFO_FAILS = """
(fetched => { window.fetch = (address, options) =>
  address.startsWith('info') ? Promise.reject(new TypeError()) : fetched(address, options);
  window.restore = () => { window.fetch = fetched; }; })(window.fetch)
"""


def test_a_conflict_while_nothing_answers_does_not_end_all_saving(browser, folder):
    names = in_order(folder)
    changed = "document.getElementById('message').textContent.includes('changed elsewhere')"
    with served(folder) as server:
        browser.open(server.address, '#masks/0')
        save_palette(folder / 'masks' / names[0], np.zeros(SIZE, np.uint8))
        browser.run(INFO_FAILS)
        browser.drag(to_window(browser, 5, 5))
        browser.wait_for(changed)
        browser.run('window.restore()')
        press(browser, 'ArrowRight')
        assert text(browser, 'name') == names[1]
        browser.drag(to_window(browser, 5, 5))
        press(browser, 'ArrowLeft')
        assert read(folder / 'masks' / names[1])[5, 5] == 1
        browser.drag(to_window(browser, 5, 5))  # what it is now was not known: refused once more
        browser.wait_for(changed)
        assert not read(folder / 'masks' / names[0]).any()
        browser.drag(to_window(browser, 5, 5))
        browser.wait_for(UNTOUCHED)
        assert read(folder / 'masks' / names[0])[5, 5] == 1


def test_zones_of_two_windows_do_not_replace_each_other(browser, folder):
    file, drawn = folder / 'zones.json', "document.body.dataset.pending === '0'"

    def draw(*corners, keys=('Enter',)):
        for place in corners:
            browser.drag(to_window(browser, *place))
        press(browser, *keys)
        browser.wait_for(drawn)

    def zones():
        return [polygon[0] for polygon in json.loads(file.read_text())['zones']['gate']]

    with served(folder) as server:
        browser.open(server.address, '#zones/0')
        draw((10, 8), (50, 8), (50, 40))
        mine = zones()
        other = [[1, 2], [9, 2], [9, 9]]
        file.write_text(file.read_text().replace('"gate": [', f'"gate": [{other}, '))
        draw((30, 30), (40, 30), (40, 40))
        assert zones() == [[1, 2], *mine]
        assert 'changed elsewhere meanwhile. It is shown as it is now' in text(browser, 'message')
        assert text(browser, 'state') == 'view gate: 2 watched, 0 ignored, 0 chimneys'
        draw((30, 30), (40, 30), (40, 40))
        assert len(zones()) == 3 and zones()[:2] == [[1, 2], *mine]
        # on leaving the view, too: the message stays, and what others drew
        file.write_text(file.read_text().replace('[1.0, 2.0]', '[1, 3]'))
        for kind, place in (('Moved', (10, 8)), ('Pressed', (10, 8)), ('Moved', (20, 20))):
            mouse(browser, kind, place)
        press(browser, 'l')
        browser.wait_for("location.hash === '#labels/0'")
        mouse(browser, 'Released', (20, 20))
        assert 'changed elsewhere' in text(browser, 'message')
        assert zones()[:2] == [[1, 3], *mine]


HOLD = (
    'window.held = new Promise((go) => { window.letGo = go; }); const real = window.fetch; '
    'window.fetch = (...what) => window.held.then(() => real(...what));'
)


def test_what_comes_before_a_picture_does_nothing_to_its_mask(browser, folder, tmp_path):
    names, proposal = in_order(folder)[:3], np.ones(SIZE, np.uint8)
    for name in names:
        save_palette(tmp_path / 'out/masks' / name, proposal)
    with served(folder, proposals=tmp_path / 'out') as server:
        browser.open(server.address, '#masks/0')
        browser.run(HOLD)
        for key in ('ArrowRight', 'a', 'r', 'u'):
            strike(browser, key)
        browser.drag(to_window(browser, 12, 12))
        browser.run('window.letGo()')
        browser.wait_for("document.body.dataset.ready === '1'")
        assert text(browser, 'name') == names[1] and not text(browser, 'message')
        assert text(browser, 'state').startswith('proposed')
        assert not (folder / 'masks').exists()


@pytest.mark.parametrize('saved', [True, False], ids=['saved', 'not saved'])
def test_what_comes_before_a_picture_does_nothing_to_zones(browser, folder, saved):
    """Neither what is pressed while the next picture comes, nor while the last one is saved."""
    with served(folder) as server:
        browser.open(server.address, '#zones/0')
        for place in [(10, 8), (50, 8), (50, 40)]:
            browser.drag(to_window(browser, *place))
        if saved:
            press(browser, 'Enter')
            browser.wait_for("document.body.dataset.pending === '0'")
        browser.run(HOLD)
        if not saved:
            press(browser, 'Enter')
        browser.drag(to_window(browser, 10, 8))  # the corner is chosen
        for key in ('ArrowRight', 'd', 'u', 'Enter'):
            strike(browser, key)
        browser.drag(to_window(browser, 30, 30))
        browser.run('window.letGo()')
        browser.wait_for("document.body.dataset.ready === '1'")
        assert text(browser, 'name') == in_order(folder)[1] and not text(browser, 'message')
        assert text(browser, 'state').startswith('view gate: 1 watched')
        press(browser, 'u')  # only the polygon can be undone: no corner is open
        assert text(browser, 'state').startswith('view gate: 0 watched')
        browser.wait_for("document.body.dataset.pending === '0'")


def test_zones_are_drawn_by_clicks(browser, folder):
    corners = [(10, 8), (50, 8), (50, 40), (10, 40)]
    file = folder / 'zones.json'
    drawn = "document.body.dataset.pending === '0'"
    with served(folder) as server:
        browser.open(server.address, '#zones/0')
        for place in corners:
            browser.drag(to_window(browser, *place))
        press(browser, 'Enter', 'i')
        for place in [(20, 20), (30, 20), (30, 30), (20, 20)]:  # back to the first: closed
            browser.drag(to_window(browser, *place))
        browser.wait_for(drawn)
        content = json.loads(file.read_text())
        assert content['view'] == ['camera'] and content['size'] == [64, 48]
        assert content['polygons'] == {}
        assert np.abs(np.array(content['zones']['gate']) - [corners]).max() < 0.5
        watched, ignored = zone_masks(file, 'gate', 64, 48)
        assert watched[9:40, 11:50].all() and not watched[:7].any() and watched.dtype == bool
        assert ignored[21, 27] and not ignored[29, 22]
        half, _ = zone_masks(file, 'gate', 32, 24)
        assert half[5:20, 6:25].all() and not half[:3].any()
        # another picture of the camera shows the same; a corner is moved; all is undone
        press(browser, 'ArrowRight')
        assert text(browser, 'state') == 'view gate: 1 watched, 1 ignored, 0 chimneys'
        browser.drag(to_window(browser, 10, 8), to_window(browser, 4, 4))
        browser.wait_for(drawn)
        moved = json.loads(file.read_text())['zones']['gate'][0]
        assert np.abs(np.array(moved[0]) - (4, 4)).max() < 0.5
        browser.drag(to_window(browser, 4, 4))
        press(browser, 'd')
        browser.wait_for(drawn)
        assert json.loads(file.read_text())['zones'] == {'gate': []}
        press(browser, 'u')
        browser.wait_for(drawn)
        assert len(json.loads(file.read_text())['zones']['gate']) == 1
        browser.open(server.address, '#zones/11')
        assert text(browser, 'state') == 'view north: 0 watched, 0 ignored, 0 chimneys'
