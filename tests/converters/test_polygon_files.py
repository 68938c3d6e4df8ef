"""Files as annotation tools write them, and as nobody should."""

import csv
import json

import numpy as np
import pytest
from annotation_files import (
    CLASSES,
    COCO,
    CVAT,
    GIVEN,
    HEIGHT,
    LABELME,
    STUDIO,
    STUDIO_RESULT,
    WIDTH,
    changed,
    region,
    task,
)
from conftest import save, save_palette, write_table

from mmsmoke.converters.polygons import store_masks
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.datasets.table import read_table
from mmsmoke.datasets.writer import classes_of
from mmsmoke.utils import DataError, UserError


def expected():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[1:7, 2:8] = 1
    mask[3:5, 4:6] = 0
    mask[2:9, 10:14] = 2
    mask[:, 18:] = 255
    return mask


@pytest.fixture
def photos(tmp_path):
    save(tmp_path / 'photos/north/1.png', np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    save(tmp_path / 'photos/south/2.png', np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return tmp_path / 'photos'


@pytest.fixture
def data(photos):
    """A data set of these photographs, with one mask and a table that somebody wrote by hand."""
    photos.rename(photos.parent / 'images')
    save_palette(photos.parent / 'masks/south/2.png', np.eye(HEIGHT, WIDTH))
    write_table(
        photos.parent,
        ['image', ' split', 'smoke', 'steam', 'note'],
        [['images/south/2.png', 'val', 'Yes', 'no', 'a, "b"'],
         ['images/north/1.png', 'train', 'no', ' yes', '']],
    )  # fmt: skip
    return photos.parent


def write(folder, content):
    is_text = isinstance(content, str)
    path = folder / f'given.{"xml" if is_text else "json"}'
    path.write_text(content if is_text else json.dumps(content), encoding='utf-8')
    return path


@pytest.mark.parametrize('form', GIVEN)
def test_a_file_of_the_tool_becomes_a_data_set(photos, tmp_path, form):
    out = tmp_path / 'out'
    done = store_masks(write(tmp_path, GIVEN[form]), out, photos, CLASSES, split='extra')
    assert done.masks == {'new': 1} and not done.untouched
    np.testing.assert_array_equal(read_mask(out / 'masks/north/1.png'), expected())
    (row,), problems = read_table(out, CLASSES)
    assert (row.image, row.split, row.labels) == ('images/north/1.png', 'extra', (1, 1))
    assert not problems and classes_of(out) == list(CLASSES)


def test_a_folder_of_images_may_have_one_called_images(photos, tmp_path):
    photos.rename(tmp_path / 'images')
    out = tmp_path / 'out'
    path = write(tmp_path, COCO)
    store_masks(path, out, tmp_path, CLASSES)
    (row,), _ = read_table(out, CLASSES)
    assert row.image == 'images/images/north/1.png'
    np.testing.assert_array_equal(read_mask(out / 'masks' / row.mask_name), expected())


def test_a_folder_of_labelme_files(photos, tmp_path):
    given = tmp_path / 'given/deep'
    given.mkdir(parents=True)
    write(given, LABELME)
    other = LABELME | dict(imagePath='2.png', shapes=[], imageWidth=None, imageHeight=None)
    (tmp_path / 'given/south').mkdir()
    write(tmp_path / 'given/south', other)
    done = store_masks(tmp_path / 'given', tmp_path / 'out', photos, CLASSES)
    rows, _ = read_table(tmp_path / 'out', CLASSES)
    assert done.masks == {'new': 2}
    assert {row.image: row.labels for row in rows} == {
        'images/north/1.png': (1, 1), 'images/south/2.png': (0, 0)
    }  # fmt: skip


@pytest.mark.parametrize(
    'address',
    [
        '/data/local-files/?d=photos/north/1.png',
        '/data/local-files/?d=north%2F1.png',
        'https://host/bucket/photos/north/1.png?sign=1#x',
        's3://bucket/north/1.png',
        '1.png',
        '/data/upload/north/9f8e7d6c-1.png',
    ],
)
def test_label_studio_has_addresses(photos, tmp_path, address):
    path = write(tmp_path, [task(address, STUDIO_RESULT)])
    store_masks(path, tmp_path / 'out', photos, CLASSES)
    assert (tmp_path / 'out/masks/north/1.png').is_file()


def test_tasks_that_nobody_did_are_left_alone(photos, tmp_path):
    undone = task('south/2.png', STUDIO_RESULT)
    undone['annotations'][0]['was_cancelled'] = True
    proposed = task('south/2.png', predictions=[{'model_version': 'm', 'result': STUDIO_RESULT}])
    path = write(tmp_path, [*STUDIO, undone, proposed])
    done = store_masks(path, tmp_path / 'out', photos, CLASSES)
    assert done.untouched == 2 and len(read_table(tmp_path / 'out', CLASSES)[0]) == 1


def test_a_data_set_is_corrected_only_if_told_so(data, tmp_path):
    path, table = write(tmp_path, CVAT), (data / 'labels.csv').read_bytes()
    with pytest.raises(UserError, match=r'1 masks new, 0 masks changed, 0 .* pass --overwrite'):
        store_masks(path, data, classes=CLASSES)
    assert (data / 'labels.csv').read_bytes() == table
    assert not (data / 'masks/north').exists()
    done = store_masks(path, data, classes=CLASSES, overwrite=True)
    assert done.masks == {'new': 1} and done.labels == 1
    np.testing.assert_array_equal(read_mask(data / 'masks/north/1.png'), expected())
    with open(data / 'labels.csv', newline='') as file:
        rows = list(csv.reader(file))
    assert rows[1] == ['images/south/2.png', 'val', 'Yes', 'no', 'a, "b"']
    assert [cell.strip() for cell in rows[2]] == ['images/north/1.png', 'train', '1', 'yes', '']
    # once more: there is nothing to do, so nobody need be asked
    table = (data / 'labels.csv').stat().st_mtime_ns
    assert store_masks(path, data, classes=CLASSES).masks == {'unchanged': 1}
    assert (data / 'labels.csv').stat().st_mtime_ns == table


def test_what_was_wiped_out_is_clear(data, tmp_path):
    wiped = LABELME | dict(imagePath='south/2.png', shapes=[])
    done = store_masks(write(tmp_path, wiped), data, classes=CLASSES, overwrite=True)
    assert done.masks == {'changed': 1} and done.labels == 1
    assert not read_mask(data / 'masks/south/2.png').any()
    rows, _ = read_table(data, CLASSES)
    assert [row.labels for row in rows] == [(0, 0), (0, 1)]


@pytest.mark.parametrize('anew', [False, True])
def test_what_nobody_can_decide_is_not_clear(data, tmp_path, anew):
    """South shows smoke, and north steam; all that is drawn on either is an area to be ignored."""
    shape = LABELME['shapes'][-1]
    for name in ('north/1.png', 'south/2.png'):
        drawn = LABELME | dict(imagePath=name, shapes=[shape])
        (tmp_path / 'given' / name).parent.mkdir(parents=True)
        write((tmp_path / 'given' / name).parent, drawn)
    out = tmp_path / 'out' if anew else data
    images = data if anew else None
    done = store_masks(tmp_path / 'given', out, images, CLASSES, overwrite=True)
    assert done.labels == 0 and done.masks['unchanged'] == 0
    rows, problems = read_table(out, CLASSES)
    assert {row.image: row.labels for row in rows} == {
        'images/south/2.png': (1, 0), 'images/north/1.png': (0, 1)
    }  # fmt: skip
    assert not problems and set(np.unique(read_mask(out / 'masks/south/2.png'))) == {0, 255}


def test_rows_of_another_data_set_keep_their_columns(data, tmp_path):
    store_masks(write(tmp_path, COCO), tmp_path / 'out', data, CLASSES)
    (row,), _ = read_table(tmp_path / 'out', CLASSES)
    assert row.split == 'train' and row.columns['note'] == '' and row.labels == (1, 1)


def test_new_and_old_data_sets_need_different_options(data, tmp_path):
    path = write(tmp_path, COCO)
    with pytest.raises(UserError, match='leave out --images'):
        store_masks(path, data, data / 'images', CLASSES)
    with pytest.raises(UserError, match='say with --images'):
        store_masks(path, tmp_path / 'out', classes=CLASSES)


@pytest.mark.parametrize('form', GIVEN)
def test_unknown_labels_are_all_listed(photos, tmp_path, form):
    path = write(tmp_path, GIVEN[form])
    with pytest.raises(DataError, match=r"unknown labels: 'smoke', 'steam'\. Known are fog"):
        store_masks(path, tmp_path / 'out', photos, ['fog'])
    assert not (tmp_path / 'out').exists()


OTHER_SIZE = {
    'labelme': changed(LABELME, 30, 'imageWidth'),
    'cvat': CVAT.replace('width="20" height="10"', 'width="30" height="10"'),
    'label-studio': [
        task('1.png', [region('polygonlabels', 'smoke', (30, 10), points=[[0, 0], [9, 0], [9, 9]])])
    ],
    'coco': changed(COCO, COCO['images'][0] | dict(width=30), 'images', 0),
}


@pytest.mark.parametrize('form', GIVEN)
def test_sizes_that_differ_are_named(photos, tmp_path, form):
    path = write(tmp_path, OTHER_SIZE[form])
    with pytest.raises(DataError, match=r'1\.png is 20x10; its outlines were drawn on 30x10'):
        store_masks(path, tmp_path / 'out', photos, CLASSES)


HOSTILE = [
    '../../../etc/passwd',
    '/etc/passwd',
    'C:\\Windows\\win.ini',
    '../secret/1.png/..',
    '',
    '..',
    '<img src=x onerror=alert(1)>.png',
    'west/1.png',
    '\0',
]


@pytest.mark.parametrize('name', HOSTILE)
@pytest.mark.parametrize('form', ['labelme', 'label-studio', 'coco'])
def test_names_only_choose_among_the_images_there(photos, tmp_path, form, name):
    content = {
        'labelme': changed(LABELME, name, 'imagePath'),
        'label-studio': changed(STUDIO, name, 0, 'data', 'image'),
        'coco': changed(COCO, name, 'images', 0, 'file_name'),
    }[form]
    with pytest.raises(DataError, match=r'is no image of|data\.image|no file of LabelMe'):
        store_masks(write(tmp_path, content), tmp_path / 'out', photos, CLASSES)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'name', ['/home/me/photos/north/1.png', '../north/1.png', 'D:\\north\\1.png']
)
def test_absolute_names_find_their_image_and_nothing_else(photos, tmp_path, name):
    path = write(tmp_path, changed(COCO, name, 'images', 0, 'file_name'))
    store_masks(path, tmp_path / 'out', photos, CLASSES)
    written = [one for one in (tmp_path / 'out').rglob('*.png')]
    assert {one.relative_to(tmp_path / 'out').as_posix() for one in written} == {
        'images/north/1.png', 'masks/north/1.png'
    }  # fmt: skip


def test_names_that_fit_several_images_are_refused(photos, tmp_path):
    save(photos / 'south/1.png', np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    with pytest.raises(DataError, match=r"'1\.png' may be any of 2 images"):
        store_masks(write(tmp_path, STUDIO), tmp_path / 'out', photos, CLASSES)
    with pytest.raises(DataError, match=r'annotates south/2\.png twice'):
        twice = [task('south/2.png', []), task('2.png', [])]
        store_masks(write(tmp_path, twice), tmp_path / 'out', photos, CLASSES)


BOMB = CVAT.replace(
    '<annotations>', '<!DOCTYPE x [<!ENTITY a "north/1.png">]><annotations>'
).replace('name="north/1.png"', 'name="&a;"')
OUTSIDE = CVAT.replace('<annotations>', '<!DOCTYPE annotations SYSTEM "file:///x"><annotations>')


@pytest.mark.parametrize('text', [BOMB, OUTSIDE, OUTSIDE.replace('utf-8', 'utf-16')])
def test_xml_must_not_declare_anything(photos, tmp_path, text):
    path = tmp_path / 'given.xml'
    path.write_text(text, encoding='utf-16' if 'utf-16' in text else 'utf-8')
    with pytest.raises(DataError, match='DOCTYPE is not allowed'):
        store_masks(path, tmp_path / 'out', photos, CLASSES)


POLYGON = 'points="2.00,1.00;8.00,1.00;8.00,7.00;2.00,7.00"'


@pytest.mark.parametrize(
    'content, message',
    [
        ('no xml', 'no XML file of CVAT'),
        ('<other/>', 'export as "CVAT for images 1.1"'),
        ('<annotations><track id="0"/></annotations>', 'export as "CVAT for images 1.1"'),
        (CVAT.replace(POLYGON, 'points="1,2,3;4"'), r'north/1\.png cannot be read'),
        (CVAT.replace(POLYGON, 'points="nan,2;3,4;5,6"'), 'a coordinate is not a number'),
        (CVAT.replace(POLYGON, 'points="1e9,2;3,4;5,6"'), 'pixels from the origin'),
        (CVAT.replace('xtl=', 'rotation="10" xtl='), 'a box is rotated'),
        (CVAT.replace('<box', '<ellipse').replace('</box', '</ellipse'), 'a ellipse encloses'),
        (CVAT.replace('rle="0, 20"', 'rle="0, 21"'), 'a mask does not fit'),
        (CVAT.replace('left="18"', 'left="19"'), 'a mask does not fit'),
        (CVAT.replace('width="20"', 'width="999999999"'), 'is said to be'),
        (CVAT.replace('label="smoke" ', ''), r'north/1\.png cannot be read'),
        ({'shapes': [], 'imagePath': 3}, 'no file of LabelMe'),
        (changed(LABELME, 'circle', 'shapes', 0, 'shape_type'), 'shape 1 is a circle'),
        (changed(LABELME, 7, 'shapes', 0, 'label'), 'label 7 is no text'),
        (changed(LABELME, [[1]], 'shapes', 0, 'points'), 'no file of LabelMe'),
        (changed(LABELME, [[1e999, 2]] * 3, 'shapes', 0, 'points'), 'is no place'),
        ([{'image': 'x', 'label': []}], 'task 1 is none of Label Studio .* not as JSON-MIN'),
        ([3], 'task 1 is none of Label Studio'),
        ([task('1.png', [region('brushlabels', 'smoke', rle=[1])])], 'of type brushlabels'),
        ([task('1.png', [region('rectanglelabels', 'smoke', x=0, y=0, width=9, height=9,
                                rotation=5)])], 'is rotated'),
        ([task('1.png', [changed(STUDIO_RESULT[0], [], 'value', 'polygonlabels')])],
         'has 0 labels'),
        ([task('1.png', [*STUDIO_RESULT, region('polygonlabels', 'smoke', (9, 9), points=[])])],
         'different sizes'),
        (changed(COCO, 9, 'annotations', 1, 'category_id'), 'category 9, which the file does not'),
        (changed(COCO, [1], 'annotations', 1, 'segmentation'), 'odd number'),
        (changed(COCO, None, 'images', 0, 'file_name'), 'None is no name of an image'),
        ({'images': []}, 'not a COCO file'),
        ([], 'annotates no image'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(photos, tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        store_masks(write(tmp_path, content), tmp_path / 'out', photos, CLASSES)
    assert not (tmp_path / 'out').exists()


def test_places_that_hold_no_annotations(photos, tmp_path):
    (tmp_path / 'bad.json').write_text('[' * 100000)
    for name, message in (
        ('photos', 'has no JSON files'),
        ('none.json', r'none\.json not found'),
        ('photos/north/1.png', r'must end in \.json or \.xml'),
        ('bad.json', 'is no JSON file'),
    ):
        with pytest.raises(UserError, match=message):
            store_masks(tmp_path / name, tmp_path / 'out', photos, CLASSES)


def test_an_image_that_does_not_decode_is_named(photos, tmp_path):
    picture = photos / 'north/1.png'
    picture.write_bytes(picture.read_bytes()[:50])
    with pytest.raises(DataError, match=r'1\.png: image cannot be read.*no labels\.csv yet'):
        store_masks(write(tmp_path, COCO), tmp_path / 'out', photos, CLASSES)
