import json
from functools import partial
from pathlib import Path

import pytest

from mmsmoke.datasets.writer import RECORD, Task, count_table, write_dataset
from mmsmoke.utils import DataError, UserError


def make(name: str, good: bool, root: Path) -> None:
    if not good:
        raise DataError(f'{name} is broken')
    for folder in ('images', 'masks'):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / f'{name}.png').write_text(name)


def task(name: str, good: bool = True, split: str = 'train') -> Task:
    row = dict(image=f'images/{name}.png', split=split, smoke=int(name < 'c'), group=name[0])
    return Task(f'{name}.raw', [row], partial(make, name, good), ('images', 'masks'))


def write(root, tasks, **options):
    return write_dataset(root, tasks, dict(seed=0), **options)


def content(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob('*') if p.is_file()}


def test_any_number_of_workers_writes_the_same(tmp_path):
    tasks = [task(name) for name in 'abcdef']
    for workers in (1, 2):
        written = write(tmp_path / str(workers), tasks, workers=workers)
        assert written.images == 6 and written.problems == []
    assert content(tmp_path / '1') == content(tmp_path / '2')
    lines = (tmp_path / '1/labels.csv').read_text().splitlines()
    assert lines[:2] == ['image,split,smoke,group', 'images/a.png,train,1,a']
    assert [line[7] for line in lines[1:]] == list('abcdef')


def test_only_what_is_missing_is_made_again(tmp_path):
    tasks = [task(name) for name in 'abcd']
    write(tmp_path, tasks)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*') if path.is_file()}
    assert write(tmp_path, tasks).images == 0
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    (tmp_path / 'images/b.png').unlink()
    (tmp_path / 'masks/c.png').unlink()
    (tmp_path / 'images/.d.77.tmp.png').write_text('half')
    assert write(tmp_path, tasks).images == 2
    assert sorted(p.name for p in (tmp_path / 'images').iterdir()) == [f'{n}.png' for n in 'abcd']


def test_a_broken_source_withholds_the_table(tmp_path):
    write(tmp_path, [task('a')])
    tasks = [task('a'), task('b', good=False), task('c')]
    written = write(tmp_path, tasks)
    assert written.problems == ['b is broken'] and written.images == 1
    assert not (tmp_path / 'labels.csv').exists()
    assert json.loads((tmp_path / RECORD).read_text())['complete'] is False
    written = write(tmp_path, tasks, skip_broken=True)
    assert [row['image'] for row in written.rows] == ['images/a.png', 'images/c.png']
    assert 'b.png' not in (tmp_path / 'labels.csv').read_text()
    written = write(tmp_path, [task('a'), task('b'), task('c')])  # mended
    assert written.images == 1 and 'b.png' in (tmp_path / 'labels.csv').read_text()


def test_folders_of_others_and_other_options_are_refused(tmp_path):
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/photo.jpg').touch()
    with pytest.raises(UserError, match='mine holds something else'):
        write(tmp_path / 'mine', [task('a')], overwrite=True)
    write(tmp_path / 'out', [task('a')])
    with pytest.raises(UserError, match=r'made with seed 0, not 1; .*--overwrite'):
        write_dataset(tmp_path / 'out', [task('b')], dict(seed=1))
    write_dataset(tmp_path / 'out', [task('b')], dict(seed=1), overwrite=True)
    assert [p.name for p in (tmp_path / 'out/images').iterdir()] == ['b.png']


def test_what_a_record_does_not_name_there_is_none_of(tmp_path):
    tasks, two = [task('a')], dict(seed=0, classes=['smoke', 'steam'])
    write_dataset(tmp_path, tasks, two)
    with pytest.raises(UserError, match=r"classes \['smoke', 'steam'\], not None"):
        write(tmp_path, tasks)
    write(tmp_path, tasks, overwrite=True)
    write_dataset(tmp_path, tasks, dict(seed=0, later=0, latest=None))
    with pytest.raises(UserError, match=r"classes None, not \['smoke', 'steam'\]"):
        write_dataset(tmp_path, tasks, two)


@pytest.mark.parametrize('name', ['images/../../x.png', '/x.png'])
def test_no_image_is_written_outside_of_the_data_set(tmp_path, name):
    other = Task('other.raw', [dict(image=name, split='val')], None)
    with pytest.raises(DataError, match=f'other.raw has the name of no image: {name}'):
        write(tmp_path / 'out', [task('a'), other])
    assert not (tmp_path / 'out').exists()


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    write(tmp_path, [task('a')])
    for text in ('', '[1]'):
        (tmp_path / RECORD).write_text(text)
        with pytest.raises(UserError, match=r'source.json cannot be read; pass --overwrite'):
            write(tmp_path, [task('a')])
    assert write(tmp_path, [task('a')], overwrite=True).images == 1


def test_what_a_killed_run_left_is_not_something_else(tmp_path):
    (tmp_path / '.source.77.tmp.json').write_text('{')
    write(tmp_path, [task('a')])
    assert not (tmp_path / '.source.77.tmp.json').exists()


def test_images_that_would_share_a_mask_are_refused(tmp_path):
    other = Task('other.raw', [dict(image='images/a.jpg', split='val')], None)
    with pytest.raises(DataError, match=r'other.raw and a.raw would share the mask a.png'):
        write(tmp_path, [task('a'), other])


def test_workers_must_be_positive(tmp_path):
    with pytest.raises(UserError, match='workers must be at least 1, not 0'):
        write(tmp_path / 'out', [task('a')], workers=0)


def test_count_table_counts_images_labels_and_groups():
    rows = [row for name in ('a1', 'a2', 'c1') for row in task(name).rows]
    rows += task('d1', split='val').rows
    assert count_table(rows) == (
        ['split', 'images', 'smoke', 'clear', 'groups'],
        [['train', 3, 2, 1, 2], ['val', 1, 0, 1, 1]],
    )
    rows = [dict(split='train', high=1, low='yes'), dict(split='train', high='0', low='No')]
    assert count_table(rows, ('high', 'low')) == (
        ['split', 'images', 'high', 'low', 'clear'],
        [['train', 2, 1, 1, 1]],
    )
