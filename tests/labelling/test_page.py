"""The page in a real browser, by its keys."""

import json
import subprocess
import sys

import numpy as np
import pytest
from browser import Browser, find_chromium
from conftest import ROOT, save, save_palette, write_dataset
from full_disk import files_up_to
from PIL import Image
from serving import SIZE, labels, served, write_folder

from mmsmoke.datasets.checks.overview import check_dataset
from mmsmoke.datasets.table import read_table
from mmsmoke.datasets.zones import zone_masks

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium: apt-get install chromium runs these tests'
)

KEYS = dict(ArrowLeft=37, ArrowRight=39, Enter=13, Escape=27, Backspace=8, Delete=46)
SAVED = "document.body.dataset.waiting === '0'"


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp('profile'))
    yield one
    one.close()


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / 'plant')


def press(browser, *keys, wait=True):
    for key in keys:
        name = key if key in KEYS else None
        code = KEYS.get(key) or ord(key.upper())
        browser.wait_for('document.body.dataset.ready')
        for kind in ('keyDown', 'keyUp'):
            browser.send(
                'Input.dispatchKeyEvent', type=kind, key=key, code=name or key,
                windowsVirtualKeyCode=code,
            )  # fmt: skip
    browser.wait_for('document.body.dataset.ready')
    if wait:
        browser.wait_for(f"(!('waiting' in document.body.dataset) || {SAVED})")


def text(browser, name):
    return browser.run(f"document.getElementById('{name}').textContent")


def to_window(browser, x, y):
    """Return where a place of the picture is in the window."""
    box = browser.run(
        '(box => [box.left, box.top, box.width, box.height])('
        "document.getElementById('sheet').getBoundingClientRect())"
    )
    return box[0] + x * box[2] / SIZE[1], box[1] + y * box[3] / SIZE[0]


def in_order(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob('*.png'))


def test_keys_label_and_the_next_start_goes_on(browser, folder):
    names = in_order(folder)
    with served(folder) as server:
        browser.open(server.address)
        assert text(browser, 'name') == names[0] and not (folder / 'labels.csv').exists()
        press(browser, '1', '0', '1', ' ', '1')
        expected = {names[0]: '1', names[1]: '0', names[2]: '1', names[4]: '1'}
        assert labels(folder) == expected
        assert text(browser, 'progress') == '4 of 12 labelled: 3 smoke, 1 clear'
        press(browser, 'u')
        assert text(browser, 'name') == names[4] and labels(folder).keys() == {*names[:3]}
        press(browser, 'u', '1')
        assert labels(folder) == {names[0]: '1', names[1]: '0', names[2]: '1'}
        browser.open(server.address)
        assert text(browser, 'name') == names[3]
        refused = [line for line in browser.log if 'http' not in line]
        assert not refused
    with served(folder) as server:
        browser.open(server.address)
        assert text(browser, 'name') == names[3]
        press(browser, *'1010101')
        assert text(browser, 'name') == names[10]
        press(browser, 'ArrowLeft')
        assert text(browser, 'name') == names[9] and text(browser, 'state') == 'smoke'
        press(browser, '0', '1')
        assert labels(folder)[names[9]] == '0'
        press(browser, '0')
        assert 'All have a label' in text(browser, 'message')
    assert not check_dataset(folder).problems


def test_two_browsers_lose_nothing_of_each_other(browser, folder, tmp_path):
    names = in_order(folder)
    other = Browser(tmp_path / 'second')
    try:
        with served(folder) as server:
            browser.open(server.address)
            other.open(server.address)
            press(browser, '1')
            press(other, '0', '0')  # the first one, seen before it was labelled: the newest counts
            press(browser, '1')
            assert labels(folder) == dict(zip(names[:2], '01', strict=True)) | {}
            press(other, 'u')
            assert text(other, 'message').startswith('Somebody else')
            assert labels(folder)[names[1]] == '1'
            other.wait_for("document.getElementById('progress').textContent.startsWith('2 of')")
    finally:
        other.close()


def test_several_classes_are_chosen_and_then_saved(browser, folder):
    names = in_order(folder)
    with served(folder, classes=['smoke', 'steam']) as server:
        browser.open(server.address)
        press(browser, '2', '1')
        assert not (folder / 'labels.csv').exists()
        press(browser, 'Enter', '0', '2', 'Enter')
    assert labels(folder) == {names[0]: '1', names[1]: '0', names[2]: '0'}
    assert labels(folder, 'steam') == {names[0]: '1', names[1]: '0', names[2]: '1'}


def test_a_list_says_what_comes_first_and_where_one_disagrees(browser, folder, tmp_path):
    names = in_order(folder)
    listed = tmp_path / 'list.csv'
    listed.write_text(f'image,probability_smoke\n{names[7]},0.9\n{names[2]},0.2\n')
    with served(folder, listed=listed) as server:
        browser.open(server.address)
        assert text(browser, 'name') == names[7]
        assert text(browser, 'state') == 'no label yet · the list says smoke'
        press(browser, '0')
        assert text(browser, 'name') == names[2]
        browser.open(server.address, '#labels/99')
        assert text(browser, 'name') == names[2]
        press(browser, '0')
        browser.run(
            "(one => { one.value = 'disagreed'; one.dispatchEvent(new Event('change')); })"
            "(document.getElementById('filter'))"
        )
        browser.wait_for('document.body.dataset.ready')
        assert text(browser, 'name') == names[7]


def test_a_full_disk_is_said_and_the_label_is_not_there(browser, folder):
    names = in_order(folder)
    with served(folder) as server:
        browser.open(server.address)
        press(browser, '1')
        with files_up_to(10):
            press(browser, '1')
            assert 'File too large' in text(browser, 'message')
            assert text(browser, 'name') == names[1]
            assert text(browser, 'state') == 'no label yet'
        assert labels(folder) == {names[0]: '1'}
        press(browser, '0')
        assert labels(folder) == {names[0]: '1', names[1]: '0'}
        assert browser.run("document.getElementById('message').hidden")


def test_a_tool_that_has_ended_is_said(browser, folder):
    names = in_order(folder)
    command = [sys.executable, ROOT / 'tools/label.py', folder, '--no-browser']
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        browser.open(process.stdout.readline().split()[0])
        press(browser, '1')
        process.kill()
    press(browser, '1')
    assert text(browser, 'message').startswith('No answer: does tools/label.py still run?')
    assert text(browser, 'name') == names[1] and text(browser, 'state') == 'no label yet'
    assert labels(folder) == {names[0]: '1'}


def test_names_are_text(browser, tmp_path):
    name = '<img src=x onerror=document.title=1>&amp;.png'
    save(tmp_path / 'odd' / name, np.zeros((*SIZE, 3), np.uint8))
    with served(tmp_path / 'odd') as server:
        browser.open(server.address)
        assert text(browser, 'name') == name
        assert browser.run('document.images.length') == 1
        assert browser.run('document.title').startswith('odd')
        press(browser, '1')
    assert labels(tmp_path / 'odd') == {name: '1'}


@pytest.mark.parametrize(('width', 'height'), [(1280, 800), (390, 700)])
def test_everything_fits_into_the_window(browser, folder, width, height):
    with served(folder) as server:
        browser.resize(width, height, mobile=width < 500)
        browser.open(server.address)
        for view in 'lmp':
            press(browser, view)
            wide, high, stage = browser.run(
                '[document.documentElement.scrollWidth, document.documentElement.scrollHeight, '
                "document.getElementById('stage').clientHeight]"
            )
            assert wide <= width and high <= height and stage > height / 2
        browser.resize(1280, 900)


def test_zoom_keeps_what_is_under_the_pointer(browser, folder):
    with served(folder) as server:
        browser.open(server.address)
        before = to_window(browser, 10, 20)
        browser.send('Input.dispatchMouseEvent', type='mouseMoved', x=before[0], y=before[1])
        size = browser.run("document.getElementById('sheet').getBoundingClientRect().width")
        press(browser, 'z')
        after = browser.run("document.getElementById('sheet').getBoundingClientRect().width")
        assert after == pytest.approx(3 * size)
        assert to_window(browser, 10, 20) == pytest.approx(before, abs=0.1)
        press(browser, 'z')
        assert to_window(browser, 10, 20) == pytest.approx(before, abs=0.1)


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


def test_a_data_set_with_tiff_and_several_splits(browser, tmp_path):
    root = write_dataset(tmp_path / 'data', suffix='.tiff')
    with served(root) as server:
        browser.open(server.address)
        assert browser.run('document.images[0].naturalWidth') == 48
        press(browser, '0', '1')
    found = labels(root)
    assert (found['images/test_0.tiff'], found['images/test_1.tiff']) == ('0', '1')
    rows, problems = read_table(root, ['smoke'])
    assert not problems and len(rows) == len(labels(root)) == 14
