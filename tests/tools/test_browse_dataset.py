import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from mmsmoke.datasets import WeakSegDataset

CONFIG = ROOT / 'configs/cam/resnet18_12e_weakseg-224.py'
ORANGE = WeakSegDataset.METAINFO['palette'][1]


@pytest.fixture
def browse(load_tool, run_main):
    main = load_tool('analysis/browse_dataset.py').main
    return lambda *args: run_main(main, *args)


def cells(path, rows, columns, side=96):
    """Pictures of a sheet, without its gaps and captions."""
    sheet = np.asarray(Image.open(path))
    gap, caption = 6, 28
    assert sheet.shape == (rows * (caption + side + gap), columns * (side + gap) + gap, 3)
    tops = [row * (caption + side + gap) + caption for row in range(rows)]
    lefts = [gap + column * (side + gap) for column in range(columns)]
    return [[sheet[y : y + side, x : x + side] for x in lefts] for y in tops]


def outlined(picture):
    return bool((picture == ORANGE).all(-1).any())


def test_images_their_masks_and_what_training_sees(tiny_dataset, browse, tmp_path):
    root = tiny_dataset(size=(60, 60))
    options = ('--images', 4, '--draws', 2, '--width', 96, '--cfg-options', f'data_root={root}')
    for name in ('a', 'b'):
        code, _, error = browse(CONFIG, tmp_path / f'{name}.png', *options)
        assert code == 0, error
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
    sheet = cells(tmp_path / 'a.png', 4, 3)
    dataset = WeakSegDataset(str(root), split='train', test_mode=True)
    labels = [bool(dataset.get_data_info(k)['gt_label']) for k in (0, 2, 3, 5)]
    assert [outlined(row[0]) for row in sheet] == labels and 0 < sum(labels) < 4
    # training has no truth
    assert not any(outlined(picture) for row in sheet for picture in row[1:])
    assert not np.array_equal(sheet[0][1], sheet[0][2])
    browse(CONFIG, tmp_path / 'c.png', '--seed', 1, *options)
    other = cells(tmp_path / 'c.png', 4, 3)
    assert np.array_equal(other[0][0], sheet[0][0])
    assert not np.array_equal(other[0][1], sheet[0][1])


def test_images_that_training_repeats_are_shown_once(tiny_dataset, browse, tmp_path):
    root = tiny_dataset(splits=dict(train=2), size=(60, 60))
    options = ('--width', 96, '--draws', 1, '--cfg-options', f'data_root={root}')
    code, _, error = browse(
        CONFIG, tmp_path / 'a.png', *options, 'train_dataloader.dataset.at_least=9'
    )
    assert code == 0, error
    cells(tmp_path / 'a.png', 2, 2)


def test_another_split(tiny_dataset, browse, tmp_path):
    root = tiny_dataset(splits=dict(train=6, val=2))
    options = ('--width', 96, '--draws', 1, '--cfg-options', f'data_root={root}')
    assert browse(CONFIG, tmp_path / 'a.png', '--split', 'val', *options)[0] == 0
    cells(tmp_path / 'a.png', 2, 2)
    code, _, error = browse(CONFIG, tmp_path / 'b.png', '--split', 'dusk', *options)
    assert code == 2 and "no split 'dusk'; it has: train, val" in error


def test_a_split_of_one_kind_can_be_looked_at(tiny_dataset, browse, tmp_path):
    root = tiny_dataset(splits=dict(train=1))
    code, _, error = browse(CONFIG, tmp_path / 'a.png', '--cfg-options', f'data_root={root}')
    assert code == 0, error


def test_masks_that_training_learns_from_are_shown(tiny_dataset, browse, tmp_path):
    root = tiny_dataset(size=(60, 60))
    for image in (root / 'images').glob('train_*'):
        mask = root / 'masks' / image.name
        if not mask.is_file():
            Image.new('P', (60, 60)).save(mask)
    code, _, error = browse(
        ROOT / 'configs/segmentors/deeplabv3plus_r50_12e_weakseg-224.py',
        tmp_path / 'a.png', '--images', 1, '--draws', 4, '--width', 96, '--cfg-options',
        f'data_root={root}', f'train_dataloader.dataset.seg_map_dir={root / "masks"}',
    )  # fmt: skip
    assert code == 0, error
    assert any(outlined(picture) for picture in cells(tmp_path / 'a.png', 1, 5)[0][1:])
