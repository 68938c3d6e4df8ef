"""The page in a real browser, by its keys."""

import subprocess
import sys

import numpy as np
import pytest
from browser import Browser, find_chromium
from conftest import ROOT, save, write_dataset
from full_disk import files_up_to
from pressing import in_order, press, text, to_window
from serving import SIZE, labels, served, write_folder

from mmsmoke.datasets.checks.overview import check_dataset
from mmsmoke.datasets.table import read_table

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


def test_undo_gives_back_what_was_known_of_some_classes(browser, tmp_path):
    root = write_dataset(tmp_path / 'data')
    name = sorted(labels(root))[0]
    before = labels(root)
    with served(root, classes=['smoke', 'steam']) as server:
        browser.open(server.address)
        assert text(browser, 'name') == name
        press(browser, '2', 'Enter')
        assert labels(root, 'steam')[name] == '1'
        press(browser, 'u')
        assert labels(root) == before and set(labels(root, 'steam').values()) == {''}


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
    browser.wait_for("!document.getElementById('message').hidden")  # it asks now and then
    no_answer = 'No answer: does tools/label.py still run?'
    assert text(browser, 'message') == no_answer  # for all is saved
    press(browser, '1')
    browser.run('new Promise((done) => setTimeout(done, 3500))')  # it has asked again
    assert text(browser, 'message') == f'{no_answer} What you did last is not saved.'
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
