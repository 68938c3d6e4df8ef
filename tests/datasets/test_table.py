from pathlib import Path

import numpy as np
import pytest
from conftest import save, save_palette, write_table
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmsmoke.datasets.masks import mask_problems
from mmsmoke.datasets.pictures import read_image
from mmsmoke.datasets.table import (
    Row,
    balance_problems,
    choose_split,
    displayed_size,
    read_table,
    require_own_masks,
)
from mmsmoke.utils import DataError

PIXELS = np.zeros((6, 8, 3), np.uint8)


@pytest.fixture
def table(tmp_path):
    """Function that writes a labels.csv from text, and an empty picture for each name."""

    def write(text, images=('images/a.png', 'images/b.png'), encoding='utf-8'):
        for name in images:
            save(tmp_path / name, PIXELS)
        (tmp_path / 'labels.csv').write_bytes(text.encode(encoding))
        return tmp_path

    return write


def only_problem(root, classes=('smoke',)):
    _, problems = read_table(root, classes)
    assert len(problems) == 1, problems
    return problems[0]


# What can be read


def test_rows_and_extra_columns(table):
    root = table(
        'image,split,smoke,camera,steam\n'
        'images/a.png,train,1,north,0\n'
        'images/b.png,val,0,"south, far",1\n'
    )
    rows, problems = read_table(root, ['steam', 'smoke'])
    assert problems == []
    assert [(r.number, r.image, r.split, r.labels) for r in rows] == [
        (2, 'images/a.png', 'train', (0, 1)),
        (3, 'images/b.png', 'val', (1, 0)),
    ]
    assert rows[1].columns['camera'] == 'south, far'


GOOD = 'image,split,smoke\nimages/a.png,train,1\nimages/b.png,train,0\n'


@pytest.mark.parametrize(
    'text',
    [
        GOOD,
        '\ufeff' + GOOD,
        GOOD.replace('\n', '\r\n'),
        GOOD.rstrip('\n'),
        GOOD.replace(',', ', ').replace('\n', ' \n'),
        GOOD.replace(',', ' ,'),
        GOOD + '\n\n',
        'smoke,image,split\n1,images/a.png,train\n0,images/b.png,train\n',
        GOOD.replace('train,1', 'train,1,, '),
        GOOD.replace('smoke', 'smoke,,').replace('train,0', 'train,0,,'),
        '"image","split","smoke"\n"images/a.png","train","1"\n"images/b.png","train","0"\n',
    ],
    ids=[
        'plain', 'byte-order mark', 'Windows line ends', 'no last line end', 'blanks after cells',
        'blanks before commas', 'empty lines', 'other order', 'blank cells at the end',
        'blank columns at the end', 'quotes',
    ],
)  # fmt: skip
def test_what_spreadsheets_make_of_a_table_is_read_alike(table, text):
    rows, problems = read_table(table(text), ['smoke'])
    assert problems == []
    found = [(row.number, row.image, row.split, row.labels) for row in rows]
    assert found == [(2, 'images/a.png', 'train', (1,)), (3, 'images/b.png', 'train', (0,))]


def test_names_with_blanks_and_letters_of_all_scripts(table):
    name = 'images/камера 1/дым, 煙 é.png'
    root = table(f'image,split,smoke\n"{name}",train,1\n', images=[name])
    rows, problems = read_table(root, ['smoke'])
    assert problems == [] and rows[0].image == name
    assert rows[0].mask_name == 'камера 1/дым, 煙 é.png'


@pytest.mark.parametrize(
    ('image', 'mask'),
    [
        ('images/a.jpg', 'a.png'),
        ('images/north/a.b.jpeg', 'north/a.b.png'),
        ('north/a.png', 'north/a.png'),
        ('images/images/a.png', 'images/a.png'),
    ],
)
def test_masks_mirror_the_images(image, mask):
    assert Row(2, image, 'train', (1,), {}).mask_name == mask


# Tables that cannot be read at all


def fatal(root, classes=('smoke',)):
    with pytest.raises(DataError) as caught:
        read_table(root, classes)
    return str(caught.value)


def test_missing_table_says_what_a_data_set_is(tmp_path):
    message = fatal(tmp_path, ['smoke', 'steam'])
    assert str(tmp_path / 'labels.csv') in message
    assert 'image,split,smoke,steam' in message


@pytest.mark.parametrize('name', ['image', 'split'])
def test_missing_column_is_named_with_those_there(table, name):
    message = fatal(table(GOOD.replace(name, 'other', 1)))
    assert f"no column '{name}'" in message and 'other' in message and 'labels.csv row 1' in message


def test_unknown_class_is_named_with_the_columns_there(table):
    message = fatal(table(GOOD), ['smoke', 'steam'])
    assert "no column for class 'steam'" in message and 'image, split, smoke' in message


def test_empty_file_has_no_columns(table):
    assert "no column 'image'" in fatal(table(''))


def test_other_encoding_is_named(table):
    message = fatal(table('image,split,smoke\nimages/é.png,train,1\n', encoding='latin-1'))
    assert 'labels.csv' in message and 'UTF-8' in message


def test_picture_instead_of_a_table(tmp_path):
    save(tmp_path / 'x.png', np.random.default_rng(0).integers(0, 255, (9, 9, 3)).astype(np.uint8))
    (tmp_path / 'x.png').rename(tmp_path / 'labels.csv')
    assert 'UTF-8' in fatal(tmp_path)


# Rows that are wrong


def test_header_alone_has_no_rows(table):
    assert 'no rows' in only_problem(table('image,split,smoke\n'))


def test_missing_image_is_named_with_its_row(table):
    problem = only_problem(table(GOOD + 'images/gone.png,train,1\n'))
    assert 'labels.csv row 4 (images/gone.png)' in problem and 'not found' in problem


@pytest.mark.parametrize('value', ['2', '-1', '0.5', '1.0', 'maybe', 'ja', '', ' ', '01'])
def test_label_other_than_zero_or_one(table, value):
    problem = only_problem(table(GOOD.replace('train,1', f'train,{value}')))
    assert 'labels.csv row 2 (images/a.png)' in problem
    assert f'smoke must be 0 or 1, got {value.strip()!r}; yes and no, true and' in problem


@pytest.mark.parametrize(
    ('yes', 'no'), [('1', '0'), ('yes', 'no'), ('TRUE', 'False'), (' Y ', '"n "')]
)
def test_labels_in_words_are_read_as_zero_and_one(table, yes, no):
    root = table(f'image,split,smoke\nimages/a.png,train,{yes}\nimages/b.png,train,{no}\n')
    rows, problems = read_table(root, ['smoke'])
    assert problems == [] and [row.labels for row in rows] == [(1,), (0,)]
    assert [row.columns['smoke'] for row in rows] == ['1', '0']


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('images/a.png,train', 'labels.csv row 2 has 2 of 3 cells'),
        ('images/a.png', 'labels.csv row 2 has 1 of 3 cells'),
        (
            'images/a,b.png,train,1',
            'labels.csv row 2 has 4 cells for 3 columns; a cell with a comma in it needs '
            'quotation marks',
        ),
    ],
)
def test_row_that_is_too_short_or_too_long(table, line, expected):
    assert only_problem(table(GOOD.replace('images/a.png,train,1', line))) == expected


def test_line_break_in_a_name(table):
    root = table('image,split,smoke\n"images/a.png\nimages/b.png",train,1\n')
    assert only_problem(root) == (
        'labels.csv row 3: line break in image or split; see the quotation marks'
    )


def test_quotation_mark_that_is_not_closed_swallows_no_rows(table):
    message = fatal(table(GOOD.replace('images/a.png', '"images/a.png')))
    assert 'labels.csv row 3 is no csv' in message and 'quotation mark' in message


def test_column_that_is_there_twice(table):
    assert "row 1 names the column 'smoke' twice" in fatal(table('image,split,smoke,smoke\n'))


def test_semicolons_instead_of_commas(table):
    message = fatal(table(GOOD.replace(',', ';')))
    assert 'it has: image;split;smoke (columns are separated by commas)' in message


@pytest.mark.parametrize('line', [',train,1', 'images/b.png,,1', ',,', ' ,train,0'])
def test_blank_cells(table, line):
    problem = only_problem(table(GOOD.replace('images/b.png,train,0', line)))
    assert 'labels.csv row 3' in problem and 'empty image or split' in problem


def test_duplicate_image_names_both_rows(table):
    problem = only_problem(table(GOOD + 'images/a.png,val,1\n'))
    assert 'row 4' in problem and 'row 2' in problem and 'duplicate' in problem


@pytest.mark.parametrize('other', ['images/a.jpg', 'a.png'])
def test_two_images_that_share_a_mask_name(table, other):
    root = table(GOOD + f'{other},val,1\n', images=['images/a.png', 'images/b.png', other])
    problem = only_problem(root)
    assert f'row 4 ({other})' in problem and 'share its mask' in problem
    assert 'row 2 (images/a.png)' in problem


@pytest.mark.parametrize('path', ['../a.png', '/etc/a.png', 'images/../../a.png'])
def test_path_outside_the_data_set(table, path):
    problem = only_problem(table(GOOD + f'{path},val,1\n'))
    assert 'row 4' in problem and 'inside the data set' in problem


@pytest.mark.parametrize('path', ['images', 'images/', '.', './'])
def test_folder_instead_of_an_image(table, path):
    assert 'labels.csv row 4' in only_problem(table(GOOD + f'{path},val,1\n'))


def test_all_problems_are_found_at_once_and_good_rows_kept(table):
    root = table(GOOD + 'images/gone.png,train,7\nimages/a.png,train,1\n,train,1\n')
    rows, problems = read_table(root, ['smoke'])
    assert [row.number for row in rows] == [2, 3]
    assert [problem.split('row ')[1][0] for problem in problems] == ['4', '4', '5', '6']


# Splits and balance


def rows_of(*pairs):
    return [Row(i, f'{i}.png', split, labels, {}) for i, (split, *labels) in enumerate(pairs, 2)]


def test_one_or_several_splits_in_order_of_the_table():
    rows = rows_of(('train', 1), ('val', 0), ('test', 1), ('train', 0))
    assert [row.number for row in choose_split(rows, 'train')] == [2, 5]
    assert [row.number for row in choose_split(rows, ['val', 'train'])] == [2, 3, 5]


@pytest.mark.parametrize('split', ['trian', ['train', 'trian']])
def test_split_that_does_not_exist_is_named_with_those_there(split):
    with pytest.raises(DataError, match=r"no split 'trian'; it has: train, val"):
        choose_split(rows_of(('val', 0), ('train', 1)), split)


def test_balance_names_each_class_without_positives_or_negatives():
    rows = rows_of(('train', 1, 0, 1), ('train', 0, 0, 1))
    problems = list(balance_problems(rows, ['smoke', 'steam', 'fog'], 'train'))
    assert len(problems) == 2
    assert 'no positive' in problems[0] and "'steam'" in problems[0]
    assert 'no negative' in problems[1] and "'fog'" in problems[1]


# Masks


def test_two_images_that_would_share_a_mask_are_named():
    names = ['images/a.png', 'images/b.png', 'b/a.png', 'images/A.png']
    require_own_masks((name, name) for name in [*names, *names])
    for name in ('images/a.jpg', 'a.tif'):
        with pytest.raises(DataError, match='/x/1 and /x/2 would share a mask; rename one'):
            require_own_masks([('images/a.png', Path('/x/1')), (name, Path('/x/2'))])


@pytest.fixture
def masked(tmp_path):
    """Function that writes one labelled image and its mask and returns the mask's problems."""

    def check(mask, labels=(1,), **kwargs):
        save(tmp_path / 'images/north/a.png', PIXELS)
        if isinstance(mask, np.ndarray):
            save(tmp_path / 'masks/north/a.png', mask, **kwargs)
        row = Row(7, 'images/north/a.png', 'train', labels, {})
        return mask_problems(tmp_path, tmp_path / 'masks', [row], len(labels))

    return check


def mask_of(*values):
    mask = np.zeros(PIXELS.shape[:2], np.uint8)
    mask.flat[: len(values)] = values
    return mask


@pytest.mark.parametrize(
    ('mask', 'labels'),
    [
        (mask_of(), (1,)),
        (mask_of(1), (1,)),
        (mask_of(1, 255), (1,)),
        (mask_of(1, 2, 3, 255), (1, 1, 1)),
        (mask_of(255), (0,)),
        (mask_of() + np.uint8(1), (1,)),
        (None, (1,)),
    ],
    ids=['empty', 'smoke', 'ignore', 'three classes', 'ignore in a negative', 'full', 'no file'],
)
def test_good_masks(masked, mask, labels):
    assert masked(mask, labels) == []


def test_palette_masks_are_judged_by_their_indices(tmp_path, masked):
    save_palette(tmp_path / 'masks/north/a.png', mask_of(1, 255))
    assert masked('there already') == []


def test_mask_of_another_size_names_both(masked):
    (problem,) = masked(np.zeros((8, 6), np.uint8))
    assert 'mask is 6x8, image is 8x6' in problem
    assert 'masks/north/a.png' in problem and 'labels.csv row 7 (images/north/a.png)' in problem


def test_strange_values_are_listed(masked):
    (problem,) = masked(mask_of(1, 2, 7))
    assert 'values 0, 1, 2, 7' in problem and 'allowed are 0, 1 and 255' in problem
    assert 'row 7' in problem and 'white_to_one' not in problem


def test_many_strange_values_are_shortened(masked):
    (problem,) = masked(np.arange(48, dtype=np.uint8).reshape(6, 8))
    assert '(48 values)' in problem and '40' not in problem.split('values', 1)[1]


@pytest.mark.parametrize('mask', [mask_of(255), mask_of() + np.uint8(255), mask_of(128, 255)])
def test_white_mask_of_an_image_with_smoke_says_how_to_convert(tmp_path, masked, mask):
    (problem,) = masked(mask)
    assert 'tools/dataset_converters/white_to_one.py' in problem
    # the folder as a whole, not the subfolder of this one mask
    assert problem.rstrip().endswith(str(tmp_path / 'masks'))


def test_palette_mask_may_be_unsure_all_over(tmp_path, masked):
    """A pseudo label with nothing but background and ignore, of an image with smoke."""
    save_palette(tmp_path / 'masks/north/a.png', mask_of(255))
    assert masked('there already') == []


@pytest.mark.parametrize(
    'mask',
    [
        np.zeros((6, 8, 3), np.uint8),
        np.zeros((6, 8, 4), np.uint8),
        np.zeros((6, 8), np.uint16),
        np.zeros((6, 8), bool),
    ],
    ids=['rgb', 'rgba', '16 bit', '1 bit'],
)
def test_mask_that_is_not_one_8_bit_channel(masked, mask):
    (problem,) = masked(mask)
    assert 'one 8-bit channel' in problem and 'row 7' in problem


def test_unreadable_mask(tmp_path, masked):
    save(tmp_path / 'masks/north/a.png', mask_of(1)).write_bytes(b'no picture')
    (problem,) = masked('there already')
    assert 'mask cannot be read' in problem and 'row 7' in problem


def test_rotated_photo_has_the_size_of_its_display(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / 'a.jpg', PIXELS, exif=exif)
    assert displayed_size(path) == (6, 8)
    exif[0x0112] = 3
    assert displayed_size(save(tmp_path / 'b.jpg', PIXELS, exif=exif)) == (8, 6)


def test_size_and_pixels_are_turned_alike_whoever_says_so(tmp_path):
    said = PngInfo()
    said.add_itxt('XML:com.adobe.xmp', '<x tiff:Orientation="8"/>')
    paths = [
        save(tmp_path / 'a.png', PIXELS, pnginfo=said),
        save(tmp_path / 'a.tif', PIXELS, tiffinfo={0x0112: 6}),
    ]
    for path in paths:
        assert displayed_size(path) == read_image(path).shape[1::-1] == (6, 8)


def test_problems_come_in_order_of_the_table(tmp_path):
    rows = []
    for i in range(2, 30):
        save(tmp_path / f'images/{i}.png', PIXELS)
        save(tmp_path / f'masks/{i}.png', mask_of(9))
        rows.append([f'images/{i}.png', 'train', 1])
    write_table(tmp_path, ['image', 'split', 'smoke'], rows)
    good, _ = read_table(tmp_path, ['smoke'])
    problems = mask_problems(tmp_path, tmp_path / 'masks', good, 1)
    numbers = [int(problem.split('row ')[1].split()[0]) for problem in problems]
    assert numbers == list(range(2, 30))
