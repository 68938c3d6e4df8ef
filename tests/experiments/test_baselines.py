import json

import numpy as np
import pytest
import torch
from conftest import save_palette, write_dataset

from mmsmoke.experiments.baselines import mean_mask, trivial_baselines
from mmsmoke.utils import UserError, sha256_of_file


@pytest.fixture
def root(tmp_path):
    """Smoke fills the upper half of every training image, and other parts of those of val."""
    root = write_dataset(tmp_path / 'data', splits=dict(train=4, val=4, test=2), size=(48, 36))
    for path in (root / 'masks').iterdir():
        mask = np.zeros((36, 48), np.uint8)
        mask[: 18 if path.name.startswith('train') else 9] = 1
        save_palette(path, mask)
    return root


def test_everything_scores_the_share_of_smoke(root):
    row = trivial_baselines(root, ['val', 'test'])[0]
    assert row == {
        'map': 'everything', 'threshold': 0.0,
        'val': 25.0, 'val, pooled': 25.0, 'test': 25.0, 'test, pooled': 25.0,
    }  # fmt: skip


def test_the_mean_mask_is_where_training_images_have_smoke(root):
    row = trivial_baselines(root, ['test'])[1]
    assert row['map'] == 'mean mask' and row['test'] == 50.0  # 9 of its 18 rows


def test_each_image_counts_alike_but_in_pooled_numbers(root):
    masks = sorted((root / 'masks').glob('val*'))
    save_palette(masks[0], np.ones((36, 48), np.uint8))
    row = trivial_baselines(root, ['val'])[0]
    shares = [100.0] + [25.0] * (len(masks) - 1)
    assert row['val'] == pytest.approx(np.mean(shares), abs=0.05)
    (one,) = (root / 'masks').glob('test*')
    mask = np.full((36, 48), 255, np.uint8)  # nothing is known of most of it
    mask[:3], mask[3:9] = 1, 0
    save_palette(one, mask)
    assert trivial_baselines(root, ['test'])[0]['test'] == pytest.approx(100 / 3, abs=0.05)


def test_the_threshold_is_not_chosen_on_the_test_split(root):
    """Half of the training images have smoke in the left half only: two levels to choose from."""
    for path in sorted((root / 'masks').glob('train*'))[:1]:
        left = np.zeros((36, 48), np.uint8)
        left[:18, :24] = 1
        save_palette(path, left)
    for split, width in (('val', 24), ('test', 48)):
        for path in (root / 'masks').glob(f'{split}*'):
            mask = np.zeros((36, 48), np.uint8)
            mask[:18, :width] = 1
            save_palette(path, mask)
    on_val = trivial_baselines(root, ['test'], threshold_split='val')[1]
    on_test = trivial_baselines(root, ['test'], threshold_split='test')[1]
    assert on_val['threshold'] > on_test['threshold'] and on_val['test'] < on_test['test']


def test_the_mean_leaves_out_what_is_unknown():
    smoke, clear = torch.ones(4, 4), torch.zeros(4, 4)
    unknown = torch.full((4, 4), 255.0)
    assert mean_mask([smoke, clear, unknown], grid=2).unique().tolist() == [0.5]
    assert mean_mask([unknown], grid=2).unique().tolist() == [0.0] and mean_mask([]) is None
    # of any size
    assert mean_mask([smoke, torch.ones(8, 6)], grid=2).unique().tolist() == [1.0]


def test_several_classes_have_rows_of_their_own(tmp_path):
    root = write_dataset(tmp_path / 'two', ('smoke', 'steam'), dict(train=8, val=8))
    names = [row['map'] for row in trivial_baselines(root, ['val'], classes=('smoke', 'steam'))]
    assert names == [
        'everything, smoke',
        'mean mask, smoke',
        'everything, steam',
        'mean mask, steam',
    ]


def test_training_images_without_masks_have_no_mean(root):
    for path in (root / 'masks').glob('train*'):
        path.unlink()
    assert [row['map'] for row in trivial_baselines(root, ['val'])] == ['everything']


def test_masks_may_come_from_other_images(root, tmp_path):
    other = write_dataset(tmp_path / 'other', splits=dict(drawn=2))
    rows = trivial_baselines(root, ['test'], train_split='drawn', train_root=other)
    assert rows[1]['map'] == 'mean mask' and rows[1]['test'] != 50.0


def test_a_split_without_true_masks_is_named(tmp_path):
    root = write_dataset(tmp_path / 'data', masks=False)
    (root / 'masks').mkdir()
    with pytest.raises(UserError, match="no image of split 'val' with smoke has a mask"):
        trivial_baselines(root, ['test'])


def test_the_tool_writes_what_it_prints(root, tmp_path, load_tool, run_main):
    out = tmp_path / 'out.json'
    main = load_tool('analysis/trivial_baselines.py').main
    code, printed, _ = run_main(main, root, '--splits', 'test', '--out', out)
    written = json.loads(out.read_text())
    (rows,) = written['tables']
    assert written['labels_sha256'] == sha256_of_file(root / 'labels.csv')
    assert 'numpy' in written['environment']['packages']
    assert rows == trivial_baselines(root, ['test'])
    assert code == 0 and '| everything |' in printed
