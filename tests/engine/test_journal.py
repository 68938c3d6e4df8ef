import base64
import json
import pickle
import shutil

import pytest

from mmsmoke.engine.journal import Journal
from mmsmoke.utils import UserError, differences

SETTINGS = dict(model=dict(depth=18, mean=[1.0, 2.0]), hooks=[dict(threshold=0.3)], labels='abc')


def record(name, **kwargs):
    return dict(image=name, mask=f'masks/{name}', **kwargs)


def begin(folder, settings=SETTINGS, **kwargs):
    return Journal(folder, settings, **kwargs)


def finish(folder, *names):
    journal = begin(folder)
    for name in names:
        journal.add(record(name), [dict(image=name, counts=[[1, 2, 3]]), None])
    return journal


def test_new_run_has_finished_nothing(tmp_path):
    journal = begin(tmp_path / 'run')
    assert journal.records == {} and journal.restored_results() == []
    assert journal.manifest_records() == []


def test_next_run_knows_what_was_finished_and_what_metrics_noted(tmp_path):
    finish(tmp_path, 'b.png', 'a.png')
    again = begin(tmp_path)
    assert set(again.records) == {'a.png', 'b.png'}
    noted = again.restored_results()
    assert sorted(results[0]['image'] for results in noted) == ['a.png', 'b.png']
    assert all(results[1] is None and results[0]['counts'] == [[1, 2, 3]] for results in noted)


def test_each_line_is_on_disk_at_once(tmp_path):
    journal = finish(tmp_path, 'a.png')  # still open
    assert set(begin(tmp_path).records) == {'a.png'}
    journal.add(record('b.png'), [])
    assert set(begin(tmp_path).records) == {'a.png', 'b.png'}


def test_manifest_covers_all_runs_in_order_of_name_without_internals(tmp_path):
    finish(tmp_path, 'c.png', 'a.png')
    journal = finish(tmp_path, 'b.png')
    expected = [record(name) for name in ('a.png', 'b.png', 'c.png')]
    assert journal.manifest_records() == expected


def test_names_of_all_scripts(tmp_path):
    finish(tmp_path, 'дым \u2028 é"\n.png')
    assert set(begin(tmp_path).records) == {'дым \u2028 é"\n.png'}


def journal_file(folder):
    (path,) = (folder / 'journal').glob('*.jsonl')
    return path


@pytest.mark.parametrize('lost', [1, 2, 10, 60])
def test_torn_last_line_is_forgotten_and_the_next_one_kept(tmp_path, lost):
    finish(tmp_path, 'a.png', 'b.png')
    path = journal_file(tmp_path)
    content = path.read_bytes().rstrip(b'\n')
    path.write_bytes(content[: len(content) - lost])
    assert set(begin(tmp_path).records) == {'a.png'}
    finish(tmp_path, 'c.png')
    assert set(begin(tmp_path).records) == {'a.png', 'c.png'}


def test_whole_last_line_without_its_line_end_is_kept(tmp_path):
    finish(tmp_path, 'a.png', 'b.png')
    path = journal_file(tmp_path)
    path.write_bytes(path.read_bytes().rstrip(b'\n'))
    finish(tmp_path, 'c.png')
    assert set(begin(tmp_path).records) == {'a.png', 'b.png', 'c.png'}


def test_files_of_all_processes_are_read(tmp_path):
    finish(tmp_path, 'a.png')
    path = journal_file(tmp_path)
    path.rename(path.with_name('rank1.jsonl'))
    finish(tmp_path, 'b.png')
    assert set(begin(tmp_path).records) == {'a.png', 'b.png'}


def test_image_done_twice_is_listed_once(tmp_path):
    finish(tmp_path, 'a.png')
    journal = finish(tmp_path, 'a.png')
    assert len(journal.manifest_records()) == 1
    assert len(begin(tmp_path).restored_results()) == 1


def test_other_settings_are_refused_and_named(tmp_path):
    finish(tmp_path, 'a.png')
    changed = dict(SETTINGS, model=dict(depth=50, mean=[1.0, 2.0]), labels='xyz')
    with pytest.raises(UserError) as caught:
        begin(tmp_path, changed)
    message = str(caught.value)
    assert 'model.depth: 18 -> 50' in message and 'labels: abc -> xyz' in message
    assert 'mean' not in message and 'threshold' not in message
    assert '--overwrite' in message and str(tmp_path) in message
    # nothing is lost by the attempt
    assert set(begin(tmp_path).records) == {'a.png'}


def test_overwrite_starts_over_but_leaves_other_files(tmp_path):
    finish(tmp_path, 'a.png')
    for name in ('masks/a.png', 'scores/a.png', 'manifest.json', 'epoch_1.pth', 'logs/x.log'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('x')
    changed = dict(SETTINGS, labels='xyz')
    assert begin(tmp_path, changed, overwrite=True).records == {}
    assert begin(tmp_path, changed).records == {}
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob('*') if p.is_file()}
    assert {'epoch_1.pth', 'logs/x.log'} <= left
    assert not left & {'masks/a.png', 'scores/a.png', 'manifest.json'}


# differences


@pytest.mark.parametrize('last', ['masks', 'journal.outdated'])
def test_overwriting_that_was_killed_leaves_nothing_that_counts_as_done(
    tmp_path, monkeypatch, last
):
    finish(tmp_path, 'a', 'b')
    (tmp_path / 'masks').mkdir()
    remove = shutil.rmtree

    def dies(path, **kwargs):
        if path.name == last and path.exists():
            raise KeyboardInterrupt
        remove(path, **kwargs)

    monkeypatch.setattr(shutil, 'rmtree', dies)
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path, overwrite=True)
    monkeypatch.undo()
    assert begin(tmp_path).records == {}
    assert begin(tmp_path, overwrite=True).records == {}


def test_half_written_files_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'masks/.a.123.tmp.png').write_text('half')
    (tmp_path / 'masks/a.png').write_text('whole')
    begin(tmp_path)
    assert [path.name for path in (tmp_path / 'masks').iterdir()] == ['a.png']


def test_equal_settings_do_not_differ():
    assert differences(SETTINGS, dict(reversed(SETTINGS.items()))) == []


@pytest.mark.parametrize(
    ('old', 'new', 'expected'),
    [
        (dict(a=1), dict(a=2), ['a: 1 -> 2']),
        (dict(a=dict(b=[1, 2])), dict(a=dict(b=[1, 3])), ['a.b[1]: 2 -> 3']),
        (dict(a=[dict(b=1)]), dict(a=[dict(b=2)]), ['a[0].b: 1 -> 2']),
        (dict(a=[1]), dict(a=[1, 2]), ['a: [1] -> [1, 2]']),
        (dict(a=1), dict(b=1), ['a: 1 -> None', 'b: None -> 1']),
        (dict(a=None), dict(), []),
        (dict(a=dict(b=1)), dict(a=3), ["a: {'b': 1} -> 3"]),
        (dict(a=1, b=2), dict(a=2, b=3), ['a: 1 -> 2', 'b: 2 -> 3']),
    ],
)
def test_differences_name_the_place_and_both_values(old, new, expected):
    assert differences(old, new) == expected


def test_long_values_are_shortened():
    (line,) = differences(dict(a='x' * 500), dict(a='y'))
    assert len(line) < 100 and line.endswith('-> y')


def test_results_that_run_code_are_refused(tmp_path):
    traces = tmp_path / 'traces'

    class Evil:
        def __reduce__(self):
            return exec, (f'open({str(traces)!r}, "w")',)

    for protocol in (2, 4):
        folder = tmp_path / f'run-{protocol}'
        Journal(folder, {}).add(dict(image='a'), [1])
        packed = base64.b64encode(pickle.dumps([Evil()], protocol)).decode()
        line = json.dumps(dict(image='a', results=packed))
        (folder / 'journal/rank0.jsonl').write_text(f'\n{line}')
        with pytest.raises(UserError, match='is damaged or of an earlier version'):
            Journal(folder, {}).restored_results()
        assert not traces.exists()
