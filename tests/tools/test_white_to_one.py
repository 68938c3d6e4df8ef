import numpy as np
import pytest
from conftest import save, save_palette
from PIL import Image

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.utils import DataError, UserError

SMOKE = np.zeros((12, 16), bool)
SMOKE[3:7, 4:9] = True
WHITE = np.where(SMOKE, 255, 0).astype(np.uint8)


@pytest.fixture
def tool(load_tool):
    return load_tool('dataset_converters/white_to_one.py')


def read(path):
    with Image.open(path) as file:
        return file.mode, np.array(file)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_white_becomes_one(tmp_path, tool, run_main):
    save(tmp_path / 'a.png', WHITE)
    save(tmp_path / 'north 1/b.png', np.zeros((5, 6), np.uint8))
    code, out, _ = run_main(tool.main, tmp_path)
    assert code == 0
    assert '2 masks converted, 0 were converted before' in out and '1 masks are without' in out
    mode, mask = read(tmp_path / 'a.png')
    assert mode == 'P' and np.array_equal(mask, SMOKE)
    assert read(tmp_path / 'north 1/b.png')[0] == 'P'
    assert sorted(p.name for p in tmp_path.rglob('*.png')) == ['a.png', 'b.png']


def test_data_set_with_white_masks_works_afterwards(tiny_dataset, tool):
    root = tiny_dataset()
    for path in (root / 'masks').iterdir():
        save(path, read(path)[1] * 255)
    arguments = dict(data_root=str(root), split='test', test_mode=True)
    with pytest.raises(DataError, match='white_to_one'):
        WeakSegDataset(**arguments)
    tool.convert_folder(root / 'masks')
    assert len(WeakSegDataset(**arguments)) == 4


def test_black_and_white_of_one_bit(tmp_path, tool):
    save(tmp_path / 'a.png', SMOKE)
    tool.convert_folder(tmp_path)
    assert np.array_equal(read(tmp_path / 'a.png')[1], SMOKE)


@pytest.mark.parametrize('value', [1, 128, 254])
def test_other_values_are_refused_before_anything_is_changed(tmp_path, tool, run_main, value):
    save(tmp_path / 'a.png', WHITE)
    save(tmp_path / 'b.png', np.where(SMOKE, value, 0).astype(np.uint8))
    before = contents(tmp_path)
    code, _, err = run_main(tool.main, tmp_path)
    assert code == 2 and contents(tmp_path) == before
    assert str(tmp_path / 'b.png') in err and f'has {value}' in err and '--force' in err


def test_proper_masks_with_ignore_are_refused(tmp_path, tool):
    mask = SMOKE.astype(np.uint8)
    mask[0] = 255
    save_palette(tmp_path / 'a.png', mask)
    with pytest.raises(DataError, match='1 of 1 masks'):
        tool.convert_folder(tmp_path)
    assert np.array_equal(read(tmp_path / 'a.png')[1], mask)


def test_soft_masks_are_cut_at_the_threshold_if_forced(tmp_path, tool, run_main):
    soft = np.arange(256, dtype=np.uint8).reshape(16, 16)
    save(tmp_path / 'a.png', soft)
    code, _, _ = run_main(tool.main, tmp_path, '--threshold', '127', '--force')
    assert code == 0
    assert np.array_equal(read(tmp_path / 'a.png')[1], soft > 127)


def test_interrupted_conversion_can_go_on(tmp_path, tool):
    for name in 'ab':
        save(tmp_path / f'{name}.png', WHITE)
    tool.convert_mask(tmp_path / 'a.png', 127)
    counts = tool.convert_folder(tmp_path, threshold=127, force=True)
    assert counts == dict(converted=1, kept=1, empty=0)
    for name in 'ab':
        assert np.array_equal(read(tmp_path / f'{name}.png')[1], SMOKE)


def test_failure_while_writing_leaves_the_mask_as_it_was(tmp_path, tool, monkeypatch):
    save(tmp_path / 'a.png', WHITE)
    before = contents(tmp_path)

    def half(self, path, **kwargs):
        path.write_bytes(b'half')
        raise OSError('disk full')

    monkeypatch.setattr(Image.Image, 'save', half)
    with pytest.raises(OSError, match='disk full'):
        tool.convert_folder(tmp_path)
    assert contents(tmp_path) == before


def test_colour_masks_are_refused_even_if_forced(tmp_path, tool):
    save(tmp_path / 'a.png', np.stack([WHITE] * 3, -1))
    with pytest.raises(DataError, match=r'a\.png: mask must have one channel, has 3'):
        tool.convert_folder(tmp_path, force=True)


def test_unreadable_mask_is_named(tmp_path, tool):
    save(tmp_path / 'a.png', WHITE).write_bytes(b'no picture')
    with pytest.raises(DataError, match=r'a\.png: mask cannot be read'):
        tool.convert_folder(tmp_path)


@pytest.mark.parametrize('name', ['gone', '.'])
def test_nothing_to_convert(tmp_path, tool, name):
    with pytest.raises(UserError, match=r'not found|no PNG masks'):
        tool.convert_folder(tmp_path / name)
