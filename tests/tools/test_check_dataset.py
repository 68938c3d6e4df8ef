import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, save, save_palette

from mmsmoke.datasets.checks import check_dataset
from mmsmoke.visualization import markdown_table


@pytest.fixture
def check(load_tool, run_main):
    """Function that runs the tool in this process; returns exit code, stdout and stderr."""
    main = load_tool('check_dataset.py').main
    return lambda *args: run_main(main, *args)


def append(root, *lines):
    with open(root / 'labels.csv', 'a', encoding='utf-8') as file:
        file.writelines(f'{line}\n' for line in lines)


def cells(table, split):
    rows = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in table.splitlines()
        if line.startswith('|')
    ]
    (row,) = [row for row in rows if row[0] == split]
    return row


def test_clean_data_set(tiny_dataset, check):
    code, out, _ = check(tiny_dataset())
    assert code == 0
    assert cells(out, 'split') == ['split', 'images', 'smoke', 'masks', 'sizes']
    assert cells(out, 'train') == ['train', '6', '3', '3', '48x36']
    assert cells(out, 'test') == ['test', '4', '2', '2', '48x36']
    assert out.splitlines()[-1] == 'no problems'


def test_several_classes(tiny_dataset, check):
    root = tiny_dataset(classes=('smoke', 'steam', 'fog'))
    code, out, _ = check(root, '--classes', 'smoke', 'steam', 'fog')
    assert code == 0
    assert cells(out, 'train') == ['train', '6', '3', '3', '3', '6', '48x36']


def test_every_problem_has_one_line(tiny_dataset, check):
    root = tiny_dataset(suffix='.jpg')
    (root / 'images/train_1.jpg').unlink()
    path = root / 'images/train_3.jpg'
    path.write_bytes(path.read_bytes()[:-100])
    (root / 'images/val_1.jpg').write_bytes(b'no picture')
    save_palette(root / 'masks/test_0.png', np.ones((9, 9), np.uint8))
    save(root / 'masks/test_2.png', np.full((36, 48), 255, np.uint8))
    save(root / 'masks/train_0.png', np.full((36, 48), 7, np.uint8))
    append(root, 'images/test_1.jpg,test,maybe', 'images/test_1.jpg,test,1')
    code, out, _ = check(root)
    assert code == 1
    lines = out.splitlines()
    problems = lines[: lines.index(next(line for line in lines if line.startswith('| split ')))]
    expected = [
        ('row 3 (images/train_1.jpg)', 'not found'),
        ('row 16', 'duplicate'),
        ('row 16', "smoke must be 0 or 1, got 'maybe'"),
        ('row 17', 'duplicate'),
        ('train_3.jpg (labels.csv row 5)', 'cannot be read'),
        ('val_1.jpg (labels.csv row 9)', 'cannot be read'),
        ('masks/train_0.png', 'values 7'),
        ('masks/test_0.png', 'mask is 9x9, image is 48x36'),
        ('masks/test_2.png', f'white_to_one.py {root / "masks"}'),
    ]
    assert len(problems) == len(expected), problems
    for line, parts in zip(problems, expected, strict=True):
        assert all(part in line for part in parts), line
    assert lines[-1] == '9 problems'


def test_missing_table_is_a_problem(tmp_path, check):
    code, out, _ = check(tmp_path)
    assert code == 1 and f'{tmp_path / "labels.csv"} not found' in out
    assert out.splitlines()[-1] == '1 problem'


def test_training_split_with_one_kind_of_image(tiny_dataset):
    root = tiny_dataset(splits=dict(train=1, val=1))
    (problem,) = check_dataset(root).problems
    assert 'no negative' in problem and "'train'" in problem


def test_different_sizes_are_summed_up(tiny_dataset):
    root = tiny_dataset(masks=False)
    for i, side in enumerate([10, 20, 30, 40]):
        save(root / f'images/val_{i}.png', np.zeros((side, 2 * side, 3), np.uint8))
    table = markdown_table(*check_dataset(root).table())
    assert cells(table, 'val')[4] == '20-80 x 10-40'
    assert cells(table, 'val')[3] == '0'


def test_true_masks_may_be_there_for_some_images_only(tiny_dataset):
    root = tiny_dataset()
    (root / 'masks/train_0.png').unlink()
    report = check_dataset(root)
    assert report.problems == [] and cells(markdown_table(*report.table()), 'train')[3] == '2'


def test_masks_to_learn_from_cover_a_split_or_leave_it_out(tiny_dataset, tmp_path):
    root, folder = tiny_dataset(), tmp_path / 'run/masks'
    for i in range(6):
        save_palette(folder / f'train_{i}.png', np.ones((36, 48), np.uint8))
    assert check_dataset(root, masks=folder).problems == []
    (folder / 'train_3.png').unlink()
    (problem,) = check_dataset(root, masks=folder).problems
    assert str(folder / 'train_3.png') in problem and 'labels.csv row 5' in problem


def test_masks_of_other_images_altogether(tiny_dataset, tmp_path):
    save_palette(tmp_path / 'other/x.png', np.ones((36, 48), np.uint8))
    (problem,) = check_dataset(tiny_dataset(), masks=tmp_path / 'other').problems
    assert 'no mask of any image' in problem


@pytest.mark.parametrize('option', [[], ['--masks']])
def test_folder_that_does_not_exist_is_wrong_usage(tiny_dataset, tmp_path, check, option):
    args = [tiny_dataset(), *option] if option else []
    code, out, err = check(*args, tmp_path / 'gone')
    assert code == 2 and out == ''
    assert err == f'error: folder {tmp_path / "gone"} not found\n'


def test_as_a_command(tiny_dataset):
    root = tiny_dataset()
    (root / 'images/train_0.png').unlink()
    command = [sys.executable, ROOT / 'tools/check_dataset.py', root]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path('/'))
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert done.stdout.startswith('labels.csv row 2 (images/train_0.png)')


def test_masks_that_contradict_their_label_are_problems(tiny_dataset, check):
    root = tiny_dataset(classes=('smoke', 'steam'), splits=dict(train=8))
    smoke, empty = np.ones((36, 48), np.uint8), np.zeros((36, 48), np.uint8)
    save_palette(root / 'masks/train_0.png', empty)  # labelled smoke
    save_palette(root / 'masks/train_1.png', smoke)  # labelled steam
    unsure = empty.copy()
    unsure[3] = 255
    save_palette(root / 'masks/train_2.png', unsure)  # labelled both, may be anywhere
    code, out, _ = check(root, '--classes', 'smoke', 'steam')
    assert code == 1
    save_palette(root / 'masks/train_4.png', np.ones((9, 9), np.uint8))  # another problem
    problems = check_dataset(root, ('smoke', 'steam')).problems
    assert len(problems) == 4 and 'mask is 9x9' in problems[0]
    assert [line for line in out.splitlines() if 'labels.csv' in line] == [
        'labels.csv row 2 (images/train_0.png): smoke is 1, but its mask has none',
        'labels.csv row 3 (images/train_1.png): smoke is 0, but its mask has smoke',
        'labels.csv row 3 (images/train_1.png): steam is 1, but its mask has none',
    ]


def test_the_same_picture_in_two_splits_is_a_warning(tiny_dataset, check):
    root = tiny_dataset(splits=dict(train=8, val=8))
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    save(root / 'images/train_1.png', blocks)
    save(root / 'images/val_1.png', blocks // 2 + 40)
    code, out, _ = check(root)
    assert code == 0 and out.splitlines()[-1] == 'no problems'
    warning = 'images/train_1.png and images/val_1.png'
    assert f'warning: 1 pairs of images in train and val look alike, such as {warning}' in out


def test_a_rare_class_is_a_warning(tiny_dataset, check):
    root = tiny_dataset(splits=dict(train=32))
    lines = (root / 'labels.csv').read_text().splitlines()
    rare = [line.replace('train,1', 'train,0') if k > 2 else line for k, line in enumerate(lines)]
    (root / 'labels.csv').write_text('\n'.join(rare))
    for path in (root / 'masks').iterdir():
        if path.name != 'train_0.png':
            path.unlink()
    code, out, _ = check(root)
    assert code == 0 and 'warning: 1 of 32 training images have smoke' in out


def test_labels_that_the_files_give_away_are_a_warning(tiny_dataset, check):
    root = tiny_dataset(splits=dict(train=40), masks=False)
    for k in range(0, 40, 2):  # those with smoke
        save(root / f'images/train_{k}.png', np.full((50, 48, 3), 99, np.uint8))
    code, out, _ = check(root)
    assert code == 0
    assert cells(out, 'smoke')[1] == '100'
    assert 'warning: image statistics alone predict smoke with 100 %' in out


def test_labels_by_chance_are_none(tiny_dataset):
    root = tiny_dataset(splits=dict(train=60), masks=False)
    rng = np.random.default_rng(0)
    for path in (root / 'images').iterdir():
        save(path, rng.integers(0, 256, (36, 48, 3)).astype(np.uint8))
    report = check_dataset(root)
    assert report.warnings == [] and 25 < report.probes['smoke'].accuracy < 70
