"""labels.csv under many hands."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import save, write_table
from serving import SIZE, labels, table, write_folder

from mmsmoke.datasets.checks.overview import check_dataset
from mmsmoke.datasets.splitting import split_groups
from mmsmoke.datasets.table import read_table
from mmsmoke.labelling.desk import Desk
from mmsmoke.labelling.pictures import camera_of, find_pictures, grouping
from mmsmoke.labelling.suggestions import read_suggestions
from mmsmoke.utils import DataError, UserError


def pictures(root, *names):
    for name in names:
        save(root / name, np.zeros((*SIZE, 3), np.uint8))
    return root


def test_pictures_of_a_plain_folder_stay_where_they_are(tmp_path):
    root = write_folder(tmp_path / 'plant')
    before = sorted(root.rglob('*'))
    desk = Desk(root)
    for k, name in enumerate(desk.names):
        desk.table.set(name, [k % 2])
    assert {path for path in root.rglob('*')} - {*before} <= {
        root / 'labels.csv',
        root / '.labels.csv.lock',
    }
    rows, problems = read_table(root, ['smoke'])
    assert not problems and [row.image for row in rows] == desk.names
    report = check_dataset(root)
    assert not report.problems
    # a camera's day is in one split
    assert len({(row.columns['group'], row.split) for row in rows}) == 6
    assert table(root)[desk.names[0]] == dict(
        image='gate/2026-03-01_0.png', split=desk.table.split_of[desk.names[0]], smoke='0',
        camera='gate', group='gate 20260301',
    )  # fmt: skip


def test_what_a_table_has_already_stays(tmp_path):
    root = pictures(tmp_path / 'data', 'images/a.png', 'images/b.png', 'images/c.png')
    rows = [
        ['images/gone.png', 'test', 'yes', 'kept, too', '3'],
        ['images/b.png', 'odd split', ' Yes', '"said"', ''],
        ['images/a.png', '', '', 'x', '5'],
    ]
    write_table(root, ['image', 'split', 'smoke', 'note', 'weight'], rows)
    text = (root / 'labels.csv').read_text()
    (root / 'labels.csv').write_text('\ufeff' + text, encoding='utf-8')
    desk = Desk(root, shares=dict(train=1))
    assert desk.table.labels == {'images/a.png': None, 'images/b.png': [1], 'images/c.png': None}
    assert desk.table.set('images/c.png', [0]) and desk.table.set('images/a.png', [1])
    found = table(root)
    assert list(found) == ['images/gone.png', 'images/b.png', 'images/a.png', 'images/c.png']
    assert found['images/gone.png'] == dict(zip(found['images/a.png'], rows[0], strict=True))
    assert found['images/b.png']['smoke'] == 'Yes' and found['images/b.png']['note'] == '"said"'
    # others of its folder are in it
    assert found['images/a.png']['split'] == found['images/c.png']['split'] == 'odd split'
    desk.table.set('images/b.png', [0])
    assert table(root)['images/b.png'] == found['images/b.png'] | dict(smoke='0')
    # taken back: what somebody else wrote stays, without a label
    desk.table.set('images/a.png', None)
    desk.table.set('images/c.png', None)
    assert labels(root) == {'images/gone.png': 'yes', 'images/b.png': '0', 'images/a.png': ''}


def test_a_further_class_gets_a_column(tmp_path):
    root = pictures(tmp_path / 'data', 'images/a.png', 'images/b.png')
    write_table(root, ['image', 'split', 'smoke'], [['images/a.png', 'train', '1']])
    desk = Desk(root, ['smoke', 'steam'])
    assert desk.table.labels['images/a.png'] == [1, None]
    desk.table.set('images/a.png', [1, 1])
    assert labels(root, 'steam') == {'images/a.png': '1'}
    # taken back: of smoke all was known before
    desk.table.set('images/a.png', [1, None], only_if=[1, 1])
    assert (labels(root), labels(root, 'steam')) == ({'images/a.png': '1'}, {'images/a.png': ''})


def test_the_newest_label_of_a_picture_counts_and_nothing_else_is_lost(tmp_path):
    root = write_folder(tmp_path / 'plant')
    mine, other = Desk(root).table, Desk(root).table
    first, second, third = mine.names[:3]
    mine.set(first, [1])
    other.set(second, [1])
    other.set(first, [0])
    mine.set(third, [1])
    assert labels(root) == {first: '0', second: '1', third: '1'}
    assert mine.labels[first] == [0]
    since = other.version
    assert not other.changes(since)
    other.refresh()
    assert other.changes(since) == {third: [1]}
    # taken back only if it is what was set
    assert not mine.set(first, None, only_if=[1]) and labels(root)[first] == '0'
    assert mine.set(first, None, only_if=[0]) and first not in labels(root)


def test_what_changes_while_changes_are_listed_is_told_the_next_time(tmp_path, monkeypatch):
    desk = Desk(write_folder(tmp_path / 'plant'))
    listed = desk.table.changes

    def slowly(since):
        found = listed(since)
        desk.table.set(desk.names[1], [1])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(desk.table, 'changes', slowly)
        first = desk.changes(desk.table.version)
    assert not first['labels'] and desk.changes(first['version'])['labels'] == {1: [1]}


def test_a_table_that_is_removed_is_begun_anew(tmp_path):
    root = write_folder(tmp_path / 'plant')
    mine = Desk(root).table
    mine.set(mine.names[0], [1])
    (root / 'labels.csv').unlink()
    mine.refresh()
    assert mine.labels[mine.names[0]] is None
    mine.set(mine.names[1], [1])
    assert labels(root) == {mine.names[1]: '1'}


def test_a_picture_that_is_named_twice_gets_its_label_in_both_rows(tmp_path):
    root = pictures(tmp_path / 'data', 'images/a.png')
    rows = [['images/a.png', 'train', '1'], ['images//a.png', 'val', '0']]
    write_table(root, ['image', 'split', 'smoke'], rows)
    Desk(root).table.set('images/a.png', [0])
    assert {name: row['smoke'] for name, row in table(root).items()} == {
        'images/a.png': '0', 'images//a.png': '0',
    }  # fmt: skip


def test_threads_of_two_tables_write_at_once(tmp_path):
    root = write_folder(tmp_path / 'plant', count=20)
    tables = [Desk(root).table, Desk(root).table]
    names = tables[0].names

    def work(k):
        tables[k % 2].set(names[k], [k // 2 % 2])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(len(names))))
    assert labels(root) == {name: str(k // 2 % 2) for k, name in enumerate(names)}


WRITE = """
import sys
from mmsmoke.labelling.desk import Desk
table = Desk(sys.argv[1]).table
for turn in range(10**6):
    for k, name in enumerate(table.names):
        table.set(name, [(turn + k) % 2])
        print(turn, flush=True)
"""


def test_processes_that_are_killed_leave_a_whole_table(tmp_path):
    root = write_folder(tmp_path / 'plant', count=20)
    for delay in (0, 0.013, 0.031):
        command = [sys.executable, '-c', WRITE, root]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(45):  # all have been labelled once
                process.stdout.readline()
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
        rows, problems = read_table(root, ['smoke'])
        assert not problems and len(rows) == 40
    desk = Desk(root)  # the lock is gone, too
    assert desk.table.set(desk.names[0], [1]) and labels(root)[desk.names[0]] == '1'


@pytest.mark.parametrize(
    ('name', 'camera', 'group'),
    [
        ('images/plant/north_2026-03-01_0900.jpg', 'plant/north', 'plant/north 20260301'),
        ('north/20260301/0900.png', 'north', 'north 20260301'),
        ('north/2026_03_01 09.png', 'north', 'north 20260301'),
        ('images/IMG_1.jpg', '', 'all'),
        ('clip_000030.jpg', '', 'all'),
    ],
)
def test_names_tell_camera_and_day(name, camera, group):
    assert camera_of(name) == camera and grouping()(name) == group


def test_a_pattern_tells_groups(tmp_path):
    assert grouping(r'^(\w+)/.*_(\d)\.')('north/x_3.png') == 'north 3'
    assert grouping('[a-z]+')('12north/x.png') == 'north'
    with pytest.raises(UserError, match='finds nothing in a'):
        grouping('b')('a.png')
    with pytest.raises(UserError, match='no regular expression'):
        grouping('(')


def test_groups_without_a_split_get_one_beside_those_that_have(tmp_path):
    groups = ['a'] * 6 + ['b'] * 2 + ['c'] * 2
    shares = dict(train=0.6, val=0.2, test=0.2)
    assert split_groups(groups, [0] * 10, shares) == ['train'] * 6 + ['val'] * 2 + ['test'] * 2
    known = split_groups(groups, [0] * 10, shares, known=dict(b='train', c='other'))
    assert known[6:] == ['train'] * 2 + ['other'] * 2 and known[0] != 'other'
    # a day that comes later goes where most is missing
    later = split_groups(
        [*groups, 'd'], [0] * 11, shares, known=dict(a='train', b='val', c='train')
    )
    assert later[-1] == 'test'


def test_what_cannot_be_labelled_is_left_out_or_named(tmp_path):
    root = pictures(tmp_path / 'plain', 'a.png', 'masks/a.png', '.hidden/b.png', 'context/a.png')
    pictures(root, ' blank.png', 'line\nbreak.png')
    (root / 'notes.txt').write_text('no picture')
    with pytest.warns(UserWarning, match='2 pictures are left out: they have names'):
        assert find_pictures(root) == ['a.png']
    pictures(root, 'a.jpg')
    with (
        pytest.warns(UserWarning),
        pytest.raises(DataError, match=r'plain/a\.jpg and .*plain/a\.png would share'),
    ):
        find_pictures(root)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='no pictures in'):
        find_pictures(tmp_path / 'empty')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(classes=['image']), "cannot be called 'image'"),
        (dict(classes=['a b']), "cannot be called 'a b'"),
        (dict(classes=['a', 'a']), 'one to nine classes'),
        (dict(classes=list('abcdefghij')), 'one to nine classes'),
        (dict(proposals='nowhere'), 'folder nowhere not found'),
        (dict(listed='nowhere.csv'), 'nowhere.csv not found'),
        (dict(shares=dict(train=-1)), 'shares must be positive'),
    ],
)
def test_mistakes_are_named(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        Desk(write_folder(tmp_path / 'plant'), **options)
    with pytest.raises(UserError, match='not found'):
        Desk(tmp_path / 'none')


@pytest.mark.parametrize(
    'text', ['image;split;smoke\na;b;1\n', 'image,smoke\na,1\n', 'image,split\na\n']
)
def test_a_table_that_is_none_is_not_touched(tmp_path, text):
    root = write_folder(tmp_path / 'plant')
    (root / 'labels.csv').write_text(text)
    with pytest.raises(DataError, match=r'labels\.csv row'):
        Desk(root)
    assert (root / 'labels.csv').read_text() == text


def suggestions(tmp_path, text, classes=('smoke',)):
    path = tmp_path / 'list.csv'
    path.write_text(text, encoding='utf-8', errors='surrogateescape')
    return read_suggestions(path, ['images/a.png', 'b.png', 'c.png'], classes)


def test_lists_name_pictures_and_what_a_model_says(tmp_path):
    found = suggestions(tmp_path, 'image,score\nb.png,3\na.png,1\nnone.png,2\nb.png,9\n')
    assert found.images == ['b.png', 'images/a.png'] and not found.predictions
    found = suggestions(tmp_path, 'image,smoke\nb.png,yes\nc.png,\na.png,0.4\n')
    assert found.predictions == {'b.png': [1], 'c.png': [None], 'images/a.png': [0]}
    found = suggestions(
        tmp_path, 'image,share_smoke,share_steam\nb.png,0.1,0\n', ['steam', 'smoke']
    )
    assert found.predictions == {'b.png': [0, 1]}
    found = suggestions(tmp_path, 'image,share_smoke\ncaf\udce9.png,1\nb.png,0\n')  # not UTF-8
    assert found.predictions == {'b.png': [0]}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('name\na.png\n', "no column 'image'"),
        ('', "no column 'image'"),
        ('image\nz.png\n', 'names no picture of the folder'),
        ('image,smoke\na.png,maybe\n', 'smoke must be 0 or 1'),
    ],
)
def test_lists_that_are_none(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        suggestions(tmp_path, text)
