import csv
import json
import re

import cv2
import numpy as np
import pytest
from conftest import save
from PIL import Image

from mmsmoke.converters.ijmond_seg import plan_ijmond_seg, values_of
from mmsmoke.datasets import WeakSegDataset
from mmsmoke.utils import UserError

SIZE = 1920, 1280
CATEGORIES = [dict(id=0, name='smoke'), dict(id=1, name='high-opacity'), dict(id=2, name='low')]


def square(x, y, side):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


@pytest.fixture
def panoramas(tmp_path):
    """Function that writes annotated panoramas; each: file name -> [(category, outline), …]."""

    def write(annotated, size=SIZE, categories=CATEGORIES):
        rng = np.random.default_rng(0)
        folder = tmp_path / 'ijmond seg'
        images, annotations = [], []
        for number, (name, outlines) in enumerate(annotated.items()):
            picture = rng.integers(0, 99, (size[1] // 20, size[0] // 20, 3)).astype(np.uint8)
            save(folder / 'images' / name, cv2.resize(picture, size))
            images.append(dict(id=number, file_name=name, width=size[0], height=size[1]))
            annotations += [
                dict(id=len(annotations) + k, image_id=number, category_id=c, segmentation=outline)
                for k, (c, outline) in enumerate(outlines)
            ]
        content = dict(images=images, annotations=annotations, categories=categories)
        (folder / '_annotations.coco.json').write_text(json.dumps(content), newline='\r\n')
        return folder

    return write


@pytest.fixture
def convert(load_tool, run_main):
    main = load_tool('dataset_converters/ijmond_seg.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def rows_of(root):
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def mask_of(root, row):
    return np.array(Image.open(root / 'masks' / f'{row["image"][7:].rsplit(".", 1)[0]}.png'))


DAYS = {
    f'kooks_2 2023-05-{day:02d} é {k}.jpg': [(1, square(300, 300, 200))] * (day % 2)
    for day in range(1, 7)
    for k in range(2)
}


def test_clean_protocol_cuts_views_and_keeps_days_together(panoramas, convert, tmp_path):
    out = tmp_path / 'out'
    code, text, _ = convert(panoramas(DAYS), out)
    assert code == 0 and '12 panoramas, 6 outlines' in text and 'samples.png' in text
    rows = rows_of(out)
    assert len(rows) == 24 and {row['camera'] for row in rows} == {'kooks_2'}
    days = {(row['group'], row['split']) for row in rows}
    assert len(days) == 6 and {split for _, split in days} == {'train', 'val', 'test'}
    row = next(row for row in rows if row['image'].endswith('2023-05-01 é 0_crop_1.jpg'))
    assert [row[name] for name in ('view', 'x', 'y', 'side')] == ['crop_1', '128', '54', '900']
    assert row['smoke'] == '1' and Image.open(out / row['image']).size == (900, 900)
    expected = np.zeros((900, 900), np.uint8)
    expected[246:447, 172:373] = 1  # the view begins at (128, 54)
    assert np.array_equal(mask_of(out, row), expected)
    for split in ('train', 'val', 'test'):
        WeakSegDataset(str(out), split=split, test_mode=True).full_init()
    assert (out / 'samples.png').is_file()


def test_dry_run_writes_nothing(panoramas, convert, tmp_path):
    code, text, _ = convert(panoramas(DAYS), tmp_path / 'out', '--dry-run')
    assert code == 0 and 'nothing was written' in text and '| train |' in text
    assert not (tmp_path / 'out').exists()


def test_frames_are_copied_byte_for_byte(panoramas, convert, tmp_path):
    folder = panoramas(DAYS)
    assert convert(folder, tmp_path / 'out', '--protocol', 'frames')[0] == 0
    for row in rows_of(tmp_path / 'out'):
        name = row['image'][7:]
        assert (tmp_path / 'out' / row['image']).read_bytes() == (
            folder / 'images' / name
        ).read_bytes()
        assert mask_of(tmp_path / 'out', row).any() == (row['smoke'] == '1')


def test_thesis_protocol(panoramas, convert, tmp_path):
    annotated = {f'a{k}.jpg': [(k % 3, square(1000, 600, 300))] for k in range(4)}
    annotated |= {'clear.jpg': [], 'little.jpg': [(1, square(1000, 600, 20))]}
    assert convert(panoramas(annotated), tmp_path / 'out', '--protocol', 'thesis')[0] == 0
    rows = rows_of(tmp_path / 'out')
    test = [row for row in rows if row['split'] == 'test']
    clear = [row for row in rows if row['split'] == 'clear']
    assert len(test) == 4 * 3 and {row['smoke'] for row in test} == {'1'}
    assert {row['smoke'] for row in clear} == {'0'}
    assert sum(row['panorama'] == 'clear.jpg' for row in clear) == 3
    for row in test:
        assert Image.open(tmp_path / 'out' / row['image']).size == (512, 512)
        assert mask_of(tmp_path / 'out', row).mean() >= 0.005
    halves = {(row['panorama'], row['t2']) for row in rows}
    assert len(halves) == 6 and {half for _, half in halves} == {'train', 'val'}


def test_opacities_merge_or_become_classes(panoramas, convert, tmp_path):
    outlines = [(2, square(300, 300, 100)), (1, square(350, 350, 100))]
    annotated = {'kooks_2 2023-05-01.jpg': outlines, 'kooks_2 2023-05-02.jpg': outlines[:1]}
    folder = panoramas(annotated)
    frames = ('--protocol', 'frames', '--day', '')
    assert convert(folder, tmp_path / 'one', *frames)[0] == 0
    assert convert(folder, tmp_path / 'two', *frames, '--opacity', 'classes')[0] == 0
    one, two = rows_of(tmp_path / 'one')[0], rows_of(tmp_path / 'two')
    assert set(np.unique(mask_of(tmp_path / 'one', one))) == {0, 1}
    assert [(row['high_opacity'], row['low_opacity']) for row in two] == [('1', '1'), ('0', '1')]
    mask = mask_of(tmp_path / 'two', two[0])
    assert set(np.unique(mask)) == {0, 1, 2} and mask[310, 310] == 2
    assert mask[380, 380] == mask[440, 440] == 1  # where both are, high opacity counts


def test_without_telling_names_category_2_is_the_low_opacity():
    assert values_of([], {0: 'x', 1: 'a', 2: 'b', 3: 'c'}, True) == {0: 1, 1: 1, 2: 2, 3: 1}
    assert values_of([], {2: 'high-opacity', 5: 'LOW opacity'}, True) == {2: 1, 5: 2}
    assert values_of([], {1: 'yellow', 2: 'flow'}, True) == {1: 1, 2: 2}
    assert values_of([], {2: 'high', 5: 'LOW'}, False) == {2: 1, 5: 1}


def test_a_camera_can_be_held_out(panoramas):
    annotated = DAYS | {f'kooks_1_202306{day:02d}.jpg': [] for day in range(1, 5)}
    plan = plan_ijmond_seg(panoramas(annotated), held_out='kooks_1')
    cameras = {split: set() for split in ('train', 'val', 'test')}
    for row in plan.rows:
        cameras[row['split']].add(row['camera'])
    assert cameras == dict(train={'kooks_2'}, val={'kooks_2'}, test={'kooks_1'})
    with pytest.raises(UserError, match="no camera 'x'; there are kooks_2"):
        plan_ijmond_seg(panoramas(annotated), held_out='x')


def test_own_views(panoramas, convert, tmp_path):
    views = tmp_path / 'views.json'
    views.write_text('{"north": [[10, 20, 64]]}')
    folder = panoramas({'north 2023-01-01.jpg': []}, size=(200, 100))
    code, _, error = convert(folder, tmp_path / 'out', '--views', views)
    assert code == 0, error
    (row,) = rows_of(tmp_path / 'out')
    assert Image.open(tmp_path / 'out' / row['image']).size == (64, 64)
    places = ('[["x"]]', '[[1, 2, 3, 4, 5]]', '[[1, 2, 0]]', '[[-1, 2, 3]]')
    for text in (*(f'{{"north": {place}}}' for place in places), '[]'):
        views.write_text(text)
        code, _, error = convert(folder, tmp_path / 'out', '--views', views)
        assert code == 2 and 'views.json holds no views' in error


def broken(folder, name):
    path = folder / 'images' / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def sixteen_bits(folder, name):
    save(folder / 'images' / name, np.full((SIZE[1], SIZE[0]), 999, np.uint16), format='png')


def turned(folder, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = folder / 'images' / name
    Image.open(path).save(path, exif=exif)


def gone(folder, name):
    (folder / 'images' / name).unlink()


def smaller(folder, name):
    save(folder / 'images' / name, np.zeros((100, 200, 3), np.uint8))


@pytest.mark.parametrize(
    'spoil, message',
    [
        (broken, 'image cannot be read: .*truncated'),
        (sixteen_bits, 'more than 8 bits'),
        (turned, 'is 1280x1920, turned as its EXIF tag says; its outlines were drawn on 1920x1280'),
        (gone, r'is in _annotations.coco.json, but not in'),
        (smaller, 'is 200x100; its outlines were drawn on 1920x1280'),
    ],
)
def test_a_broken_panorama_is_named_and_can_be_left_out(
    panoramas, convert, tmp_path, spoil, message
):
    folder, name = panoramas(DAYS), 'kooks_2 2023-05-03 é 0.jpg'
    spoil(folder, name)
    code, text, _ = convert(folder, tmp_path / 'out')
    assert code == 1 and not (tmp_path / 'out/labels.csv').exists()
    (line,) = [line for line in text.splitlines() if '2023-05-03 é 0.jpg' in line]
    assert re.search(message, line) and '--skip-broken' in text
    assert convert(folder, tmp_path / 'out', '--skip-broken')[0] == 0
    assert len(rows_of(tmp_path / 'out')) == 22


def test_an_image_with_alpha_loses_it(panoramas, convert, tmp_path):
    folder = panoramas({'kooks_2_2023-05-01.png': []}, size=(1720, 1000))
    path = folder / 'images/kooks_2_2023-05-01.png'
    rgba = np.dstack([np.asarray(Image.open(path)), np.full((1000, 1720), 7, np.uint8)])
    Image.fromarray(rgba).save(path)
    assert convert(folder, tmp_path / 'out')[0] == 0
    picture = Image.open(tmp_path / 'out/images/kooks_2_2023-05-01_crop_1.jpg')
    assert (
        picture.mode == 'RGB'
        and np.abs(np.asarray(picture).astype(int) - rgba[54:954, 128:1028, :3]).mean() < 3
    )


@pytest.mark.parametrize(
    'name, message',
    [
        ('kooks_2_morning.jpg', 'no day found in the file name kooks_2_morning.jpg'),
        ('camera_9_2023-01-01.jpg', 'names no camera; known are kooks_2, kooks_1, hoogovens_6_7'),
    ],
)
def test_names_that_do_not_tell_camera_or_day(panoramas, convert, tmp_path, name, message):
    code, text, error = convert(panoramas({name: []}), tmp_path / 'out')
    assert code in (1, 2) and message in text + error and not (tmp_path / 'out').exists()


def test_without_annotations_the_converter_says_where_to_ask(convert, tmp_path):
    code, _, error = convert(tmp_path, tmp_path / 'out')
    assert code == 2 and '_annotations.coco.json not found' in error and 'github.com' in error


def test_changed_outlines_are_not_mixed_with_old_masks(panoramas, convert, tmp_path):
    assert convert(panoramas(DAYS), tmp_path / 'out')[0] == 0
    folder = panoramas({name: [] for name in DAYS})
    code, _, error = convert(folder, tmp_path / 'out')
    assert code == 2 and 'was made with source_sha256' in error
    assert convert(folder, tmp_path / 'out', '--dry-run')[0] == 2  # as the real run
    assert convert(folder, tmp_path / 'out', '--overwrite')[0] == 0
    assert {row['smoke'] for row in rows_of(tmp_path / 'out')} == {'0'}


def test_one_day_is_one_group_however_it_is_written(panoramas):
    names = ['kooks_2_2023-05-01_a.jpg', 'kooks_2_20230501_b.jpg', 'kooks_2_2023_05_02.jpg']
    rows = plan_ijmond_seg(panoramas({name: [] for name in names})).rows
    assert {row['group'] for row in rows} == {'kooks_2 20230501', 'kooks_2 20230502'}


def test_a_split_without_images_is_a_warning(panoramas, convert, tmp_path):
    code, text, _ = convert(panoramas({'kooks_2_2023-05-01.jpg': []}), tmp_path / 'out')
    assert code == 0 and 'warning: there is no image in val' in text


@pytest.mark.parametrize(
    'options, message',
    [
        (('--protocol', 'thesis', '--hold-out', 'kooks_2'), 'none can be held out'),
        (('--day', '('), "'(' is no regular expression"),
        (('--shares', 1, -1, 1), 'shares must be positive'),
        (('--shares', 0, 0, 0), 'shares must be positive'),
        (('--shares', 'nan', 1, 1), 'shares must be positive'),
    ],
)
def test_options_that_make_no_sense(panoramas, convert, tmp_path, options, message):
    code, _, error = convert(panoramas(DAYS), tmp_path / 'out', *options)
    assert code == 2 and message in error and not (tmp_path / 'out').exists()


def test_a_share_of_nothing_is_an_empty_split(panoramas):
    rows = plan_ijmond_seg(panoramas(DAYS), shares=(0.8, 0, 0.2)).rows
    assert {row['split'] for row in rows} == {'train', 'test'}


def test_if_nothing_can_be_used_nothing_is_written(panoramas, convert, tmp_path):
    folder = panoramas({'kooks_2_2023-05-01.jpg': []})
    broken(folder, 'kooks_2_2023-05-01.jpg')
    code, text, _ = convert(folder, tmp_path / 'out', '--skip-broken')
    assert code == 1 and 'there is no labels.csv yet' in text


def test_two_opacities_are_checked_as_two_classes(panoramas, convert, tmp_path):
    _, text, _ = convert(panoramas(DAYS), tmp_path / 'out', '--opacity', 'classes')
    assert f'check_dataset.py {tmp_path / "out"} --classes high_opacity low_opacity' in text
