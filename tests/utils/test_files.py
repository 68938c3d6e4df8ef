import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from mmsmoke.utils import UserError, atomic_path, read_json, sha256_of_file, write_json


def below(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


def test_content_appears_under_its_name_alone(tmp_path):
    with atomic_path(tmp_path / 'new/folder/a.txt') as temporary:
        temporary.write_text('content')
        assert not (tmp_path / 'new/folder/a.txt').exists()
    assert (tmp_path / 'new/folder/a.txt').read_text() == 'content'
    assert below(tmp_path) == ['a.txt']


def test_temporary_name_lies_beside_and_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / 'a.b.png') as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == '.png'
        assert temporary.name.startswith('.')  # globs for *.png in a listing do not meet it
        temporary.touch()


def test_two_threads_that_write_one_file_leave_one_of_theirs(tmp_path):
    path, both_are_inside = tmp_path / 'a.txt', Barrier(2, timeout=60)

    def write(content):
        with atomic_path(path) as temporary:
            temporary.write_text(content)
            both_are_inside.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ['first', 'second']))
    assert path.read_text() in ('first', 'second')
    assert below(tmp_path) == ['a.txt']


def test_old_content_is_replaced(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old and longer')
    with atomic_path(path) as temporary:
        temporary.write_text('new')
        assert path.read_text() == 'old and longer'
    assert path.read_text() == 'new'


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_failure_leaves_nothing_behind_and_old_content_intact(tmp_path, error):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text('half of the n')
        raise error
    assert path.read_text() == 'old'
    assert below(tmp_path) == ['a.txt']


def test_failure_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError), atomic_path(tmp_path / 'a.txt'):
        raise ValueError
    assert below(tmp_path) == []


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / 'a.json'
    write_json(path, dict(a=[1, 'é']))
    assert json.loads(path.read_text(encoding='utf-8')) == dict(a=[1, 'é'])
    with pytest.raises(TypeError):
        write_json(path, dict(a=object()))
    assert json.loads(path.read_text(encoding='utf-8')) == dict(a=[1, 'é'])
    assert below(tmp_path) == ['a.json']


@pytest.mark.parametrize('size', [0, 5, (1 << 20) + 3])
def test_hash_of_a_file_of_any_length(tmp_path, size):
    content = b'x' * size
    (tmp_path / 'a').write_bytes(content)
    assert sha256_of_file(tmp_path / 'a') == hashlib.sha256(content).hexdigest()


def test_json_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / 'a.json').write_text('\ufeff["é"]', encoding='utf-8')
    assert read_json(tmp_path / 'a.json') == ['é']


@pytest.mark.parametrize('content', [b'{', b'\xff', b'[' * 100_000])
def test_what_is_no_json_is_said(tmp_path, content):
    (tmp_path / 'a.json').write_bytes(content)
    with pytest.raises(UserError, match=r'a\.json is no JSON file'):
        read_json(tmp_path / 'a.json')
