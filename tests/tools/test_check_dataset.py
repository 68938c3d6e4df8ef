import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, save, save_palette, write_table
from PIL import Image

from mmsmoke.datasets.checks.overview import check_dataset
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
    append(root, 'images/test_1.jpg,test,maybe,,', 'images/test_1.jpg,test,1,,')
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
    root = tiny_dataset(classes=('smoke', 'steam'), splits=dict(train=8, val=2, test=2))
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
    # whichever of two splits comes first in the table
    save(root / 'images/a.png', blocks)
    append(root, 'images/a.png,train,0,,')
    (line,) = [line for line in check_dataset(root).warnings if 'look alike' in line]
    assert line == f'2 pairs of images in train and val look alike, such as {warning}'


def test_a_rare_class_is_a_warning(tiny_dataset, check):
    root = tiny_dataset(splits=dict(train=32, val=2))
    lines = (root / 'labels.csv').read_text().splitlines()
    rare = [line.replace('train,1', 'train,0') if k > 2 else line for k, line in enumerate(lines)]
    (root / 'labels.csv').write_text('\n'.join(rare))
    for path in (root / 'masks').iterdir():
        if path.name not in ('train_0.png', 'val_0.png'):
            path.unlink()
    code, out, _ = check(root)
    assert code == 0 and 'warning: 1 of 32 training images have smoke' in out


def test_labels_that_the_files_give_away_are_a_warning(tiny_dataset, check):
    root = tiny_dataset(splits=dict(train=40, val=2), masks=False)
    for k in range(0, 40, 2):  # those with smoke
        save(root / f'images/train_{k}.png', np.full((50, 48, 3), 99, np.uint8))
    code, out, _ = check(root)
    assert code == 0
    assert cells(out, 'smoke')[1] == '100'
    assert 'warning: image statistics alone predict smoke with 100 %' in out


def test_labels_by_chance_are_none(tiny_dataset):
    root = tiny_dataset(splits=dict(train=60, val=1, test=1), masks=False)
    rng = np.random.default_rng(0)
    for path in (root / 'images').iterdir():
        save(path, rng.integers(0, 256, (36, 48, 3)).astype(np.uint8))
    report = check_dataset(root)
    assert report.warnings == [] and 25 < report.probes['smoke'].accuracy < 70


# Where hardly anything can be used


def problems_of(out):
    return [line for line in out.splitlines() if line.startswith(('labels.csv', '…'))]


def replace_labels(root, change):
    """Rewrites each row of labels.csv but the header."""
    header, *rows = (root / 'labels.csv').read_text().splitlines()
    write_table(root, header.split(','), [change(row.split(',')) for row in rows])
    return root


@pytest.mark.parametrize('label', ['smoky', '', '2'])
def test_no_row_with_a_label_that_can_be_read(tiny_dataset, check, label):
    root = replace_labels(tiny_dataset(), lambda row: [*row[:2], label, *row[3:]])
    code, out, err = check(root)
    assert (code, err) == (1, '')
    assert problems_of(out)[0] == (
        f'labels.csv row 2 (images/train_0.png): smoke must be 0 or 1, got {label!r}; '
        'yes and no, true and false, y and n are read as well'
    )
    assert out.splitlines()[-1] == '14 problems'


def test_header_alone(tmp_path, check):
    code, out, err = check(write_table(tmp_path, ['image', 'split', 'smoke'], []))
    assert (code, err) == (1, '')
    assert out.splitlines() == [f'{tmp_path / "labels.csv"} has no rows', '1 problem']


def test_many_problems_of_one_kind_are_counted_and_kept_in_the_file(tmp_path, check):
    rows = [[f'images/a ({k})/x.png', 'train' if k % 2 else 'val', k % 2] for k in range(3000)]
    root = write_table(tmp_path / 'data', ['image', 'split', 'smoke'], rows)
    code, out, err = check(root, '--out', tmp_path / 'all.json')
    assert (code, err) == (1, '')
    lines = out.splitlines()
    assert lines[0] == (
        f'labels.csv row 2 (images/a (0)/x.png): image file not found in {tmp_path / "data"}'
    )
    assert lines[10] == '… and 2990 more like this; --out FILE.json lists all'
    assert lines[11].startswith('warning') and lines[12:] == ['3000 problems']
    assert len(json.loads((tmp_path / 'all.json').read_text())['problems']) == 3000


def test_problems_of_another_kind_are_not_hidden_by_many(tiny_dataset, check):
    root = tiny_dataset(splits=dict(train=30, val=2))
    for path in (root / 'images').glob('train_2*.png'):
        path.unlink()
    replace_labels(root, lambda row: [*row[:2], '7' if row[0].endswith('9.png') else row[2], ''])
    _, out, _ = check(root)
    cut = [line for line in problems_of(out) if line.startswith('…')]
    assert cut == ['… and 22 more like this; --out FILE.json lists all']  # of rows too short
    write_table(
        root,
        ['image', 'split', 'smoke'],
        [[f'images/train_{k}.png', 'train', '7' if k in (9, 19, 29) else k % 2] for k in range(30)],
    )
    _, out, _ = check(root, '--splits', 'train')
    cut = [line for line in problems_of(out) if line.startswith('…')]
    assert cut == ['… and 1 more like this; --out FILE.json lists all']  # of 11 missing files
    assert sum('must be 0 or 1' in line for line in problems_of(out)) == 3


# Splits


def renamed(root, **names):
    return replace_labels(root, lambda row: [row[0], names.get(row[1], row[1]), *row[2:]])


@pytest.mark.parametrize(
    ('split', 'name'),
    [('train', 'Train'), ('train', 'TRAIN'), ('train', 'training'), ('val', 'validation'),
     ('val', 'valid'), ('val', 'Val'), ('test', 'Testing')],
)  # fmt: skip
def test_split_whose_name_configs_do_not_look_for(tiny_dataset, check, split, name):
    root = renamed(tiny_dataset(), **{split: name})
    code, out, _ = check(root)
    counts = dict(train=(6, 2), val=(4, 8), test=(4, 12))
    rows, first = counts[split]
    assert code == 1 and problems_of(out) == [
        f'labels.csv: split {name!r} must be called {split!r}, which is what configs look for '
        f'({rows} rows, the first is row {first})'
    ]


@pytest.mark.parametrize(
    ('split', 'purpose'), [('train', 'training learns'), ('val', 'training validates')]
)
def test_split_that_training_needs(tiny_dataset, check, split, purpose):
    there = {'train', 'val', 'test'} - {split}
    code, out, _ = check(tiny_dataset(splits=dict.fromkeys(sorted(there), 4)))
    assert code == 1 and problems_of(out) == [
        f'labels.csv has no split {split!r} ({purpose} {"from" if split == "train" else "on"} it); '
        f'it has: {", ".join(sorted(there))}. --splits says which must be there'
    ]
    assert check(tiny_dataset('other', splits=dict(test=4)), '--splits', 'test')[0] == 0


def test_other_splits_are_welcome_and_a_missing_test_is_a_warning(tiny_dataset, check):
    code, out, _ = check(tiny_dataset(splits=dict(train=4, val=2, chimney_only=2)))
    assert code == 0 and 'chimney_only' in out
    assert "warning: labels.csv has no split 'test', which pipelines" in out


def test_splits_are_not_missing_because_their_rows_are_wrong(tiny_dataset):
    root = tiny_dataset()
    for path in (root / 'images').iterdir():
        path.unlink()
    assert {problem.split('): ')[1] for problem in check_dataset(root).problems} == {
        f'image file not found in {root}'
    }


# Files with the wrong name


@pytest.mark.parametrize('name', ['train_0.jpg', 'train_0.PNG', 'train_0.tif', 'train_0.bmp'])
def test_mask_with_a_wrong_ending(tiny_dataset, name):
    root = tiny_dataset()
    mask = root / 'masks/train_0.png'
    with Image.open(mask) as file:
        file.convert('L').save(root / 'masks' / name)
    assert check_dataset(root).problems == []  # beside the right one it is nobody's business
    mask.unlink()
    assert check_dataset(root).problems == [
        f'{root / "masks" / name} (labels.csv row 2 (images/train_0.png)): a mask must be a PNG '
        f'and be named {mask}'
    ]


def test_folders_that_are_named_as_images_and_masks(tiny_dataset):
    root = tiny_dataset()
    for name in ('images/train_1.png', 'masks/train_0.png'):
        (root / name).unlink()
        (root / name).mkdir()
    (root / 'masks/north').mkdir()
    assert check_dataset(root).problems == [
        'labels.csv row 3 (images/train_1.png): this is a folder, not an image',
        f'{root / "masks/train_0.png"} (labels.csv row 2 (images/train_0.png)) is a folder, '
        'not a mask',
    ]


def test_files_that_no_row_names_are_warnings(tiny_dataset, check):
    root = tiny_dataset()
    save_palette(root / 'masks/north/train_0.png', np.ones((36, 48), np.uint8))
    save_palette(root / 'masks/train_0_mask.png', np.ones((36, 48), np.uint8))
    for name in ('images/new.JPEG', 'images/north/b.png', 'images/.hidden.png', 'images/notes.txt'):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    code, out, _ = check(root)
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith('warning')][:2] == [
        'warning: images that no row of labels.csv names: 2, such as images/new.JPEG',
        f'warning: masks in {root / "masks"} of no image in labels.csv: 2, such as '
        'north/train_0.png',
    ]


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere names are Unicode')
def test_names_that_are_not_utf_8_can_be_printed(tiny_dataset, check):
    root = tiny_dataset()
    (root / 'images' / os.fsdecode(b'caf\xe9.png')).touch()
    code, out, _ = check(root)
    assert code == 0 and r'names: 1, such as images/caf\xe9.png' in out


def test_files_of_a_row_that_is_wrong_are_not_strays(tiny_dataset):
    root = replace_labels(tiny_dataset(), lambda row: [*row[:2], 'maybe', *row[3:]])
    assert check_dataset(root).warnings == []


@pytest.mark.parametrize('name', ['images', '', '.', '..', 'images/..', '/', 'a\0b.png'])
def test_images_without_a_name_do_not_stop_the_check(tiny_dataset, name):
    root = tiny_dataset()
    append(root, f'{name},val,1,,', f'{"x" * 300}.png,val,1,,')
    first, second = check_dataset(root).problems
    assert 'labels.csv row 16' in first and 'labels.csv row 17' in second


# Pictures


def test_endings_that_inference_does_not_take_either(tiny_dataset):
    root = tiny_dataset()
    for k, name in enumerate(['a.gif', 'b', 'c.PPM']):
        Image.new('RGB', (48, 36)).save(root / 'images' / name, ('gif', 'png', 'ppm')[k])
        append(root, f'images/{name},val,0,,')
    assert check_dataset(root).problems == [
        f'labels.csv row {number} (images/{name}): an image must end in one of '
        '.jpg, .jpeg, .png, .bmp, .tif, .tiff, .webp'
        for number, name in ((16, 'a.gif'), (17, 'b'), (18, 'c.PPM'))
    ]


def test_pictures_of_extreme_shape_are_a_warning(tiny_dataset):
    root = tiny_dataset(masks=False)
    save(root / 'images/train_0.png', np.zeros((1, 4000, 3), np.uint8))
    save(root / 'images/train_1.png', np.zeros((99, 20, 3), np.uint8))
    save(root / 'images/train_2.png', np.zeros((10, 40, 3), np.uint8))  # just not
    (warning,) = [line for line in check_dataset(root).warnings if 'longer' in line]
    assert warning == (
        'images longer than 4 times their width, which configs make square: 2, such as '
        'images/train_0.png (4000x1)'
    )


def test_huge_pictures_have_one_line(tiny_dataset, check, monkeypatch, recwarn):
    root = tiny_dataset(masks=False)
    save(root / 'images/train_0.png', np.zeros((50, 70, 3), np.uint8))
    save(root / 'images/train_1.png', np.zeros((60, 70, 3), np.uint8))
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 2000)  # twice as many are an error of Pillow
    code, out, err = check(root)
    assert (code, recwarn.list) == (1, []) and 'Warning' not in err
    assert [line for line in out.splitlines() if 'million' in line] == [
        f'{root}/images/train_1.png (labels.csv row 3): image cannot be read: more than '
        '0 million pixels, which is too large; save it smaller',
        'warning: images of more than 0 million pixels, slow to load: 1, such as '
        'images/train_0.png (70x50)',
    ]
