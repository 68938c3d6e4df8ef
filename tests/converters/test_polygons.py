"""Masks to polygons and back, by every format."""

import csv
import json
import re
import shutil
from collections import Counter
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from conftest import save, save_palette
from PIL import Image
from plumes import CLASSES, iou, plume, plume_data

from mmsmoke.converters.coco import fill_centres
from mmsmoke.converters.polygons import (
    blobs_of,
    pictures_of,
    read_drawings,
    store_masks,
    with_slits,
    write_polygons,
)
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.datasets.smokestack.writer import write_smokestack
from mmsmoke.utils import DataError, UserError

FILES = {
    'coco': 'outlines.json',
    'labelme': 'outlines',
    'cvat': 'outlines.xml',
    'label-studio': 'tasks.json',
}


def export(root, form, classes=CLASSES, **options):
    pictures, _ = pictures_of(root, None, classes)
    out = root.parent / FILES[form]
    return out, write_polygons(out, pictures, form, classes, **options)


def masks_in(root):
    return {
        path.relative_to(root / 'masks').as_posix(): read_mask(path)
        for path in sorted((root / 'masks').rglob('*.png'))
    }


def there_and_back(root, form, classes=CLASSES, **options):
    """Return the masks before and after they were outlined and drawn into a new data set."""
    out, _ = export(root, form, classes, **options)
    store_masks(out, root.parent / 'back', root, classes)
    return masks_in(root), masks_in(root.parent / 'back')


@pytest.mark.parametrize('form', FILES)
def test_every_pixel_comes_back_from_outlines_that_are_not_simplified(tmp_path, form):
    before, after = there_and_back(plume_data(tmp_path / 'data'), form, simplify=0)
    assert after.pop('north/clear.png').any() == 0
    assert after.keys() == before.keys()
    for name, mask in before.items():
        np.testing.assert_array_equal(after[name], mask, name)


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    """Drawn plumes at two sizes, and masks with more holes than those have."""
    folder = tmp_path_factory.mktemp('scenes')
    plume_data(folder / 'plumes')
    for size in (64, 160):
        write_smokestack(
            str(folder / f'scenes-{size}'), size=size, train=8, val=2, test=2, classes=CLASSES,
            workers=1, seed=3,
        )  # fmt: skip
    return folder


@pytest.mark.parametrize('form', FILES)
@pytest.mark.parametrize('name', ['plumes', 'scenes-64', 'scenes-160'])
def test_drawn_plumes_keep_nearly_all_by_default(scenes, tmp_path, form, name):
    root = tmp_path / 'data'
    root.symlink_to(scenes / name)
    before, after = there_and_back(root, form)
    found = [
        iou(mask, after[name], value)
        for name, mask in before.items()
        for value in np.unique(mask[mask > 0])
    ]
    assert min(found) >= 0.98 and len(found) > 5


def test_outlines_lie_on_the_edges_of_pixels():
    mask = np.zeros((6, 8), np.uint8)
    mask[1:4, 2:7] = 1
    (blob,) = blobs_of(mask)
    assert blob.box == (2, 1, 5, 3) and blob.area == 15
    assert {*map(tuple, blob.outer)} == {(2, 1), (7, 1), (7, 4), (2, 4)}
    assert cv2.contourArea(blob.outer.astype(np.float32)) == blob.area


def test_blobs_cover_the_mask_once_and_the_enclosing_ones_come_first():
    mask = np.zeros((40, 40), np.uint8)
    cv2.circle(mask, (20, 20), 18, 1, 2)
    cv2.circle(mask, (20, 20), 12, 2, -1)
    cv2.circle(mask, (20, 20), 4, 1, -1)
    blobs = blobs_of(mask)
    assert [blob.value for blob in blobs] == [1, 2, 1]
    assert blobs[1].area > blobs[0].area > blobs[2].area
    assert [len(blob.holes) for blob in blobs] == [1, 1, 0]
    assert sum(blob.area for blob in blobs) == np.count_nonzero(mask)


@pytest.mark.parametrize('seed', range(5))
def test_slits_keep_the_area(seed):
    """Outline noise, which has as many holes as can be."""
    mask = (np.random.default_rng(seed).random((24, 30)) < 0.6).astype(np.uint8)
    whole = np.zeros_like(mask)
    for blob in blobs_of(mask, simplify=0):
        alone = np.zeros_like(mask)
        fill_centres(alone, with_slits(blob.outer, blob.holes), 'blob')
        assert alone.sum() == blob.area
        whole |= alone
    np.testing.assert_array_equal(whole, mask)


def test_small_blobs_are_left_out_and_small_holes_closed():
    mask = np.zeros((30, 30), np.uint8)
    mask[2:20, 2:20] = 1
    mask[5:7, 5:7] = 0  # 4 pixels
    mask[10:15, 10:15] = 0  # 25
    mask[25:27, 25:28] = 1  # 6
    assert [(blob.area, len(blob.holes)) for blob in blobs_of(mask)] == [(295, 2), (6, 0)]
    assert [(blob.area, len(blob.holes)) for blob in blobs_of(mask, min_area=6)] == [
        (299, 1), (6, 0)
    ]  # fmt: skip
    assert [blob.area for blob in blobs_of(mask, min_area=7)] == [299]
    assert blobs_of(mask, min_area=1000) == []


def test_simplifying_leaves_fewer_corners():
    def corners(simplify):
        return sum(
            len(ring) for blob in blobs_of(plume(1), simplify) for ring in (blob.outer, *blob.holes)
        )

    assert corners(0) > corners(None) > corners(1) > corners(3)


def test_coco_has_run_lengths_where_there_are_holes(tmp_path):
    out, done = export(plume_data(tmp_path / 'data'), 'coco')
    content = json.loads(out.read_text())
    assert [one['name'] for one in content['categories']] == [*CLASSES, 'ignore']
    assert done['labels'] == [*CLASSES, 'ignore'] and done['images'] == 5
    assert content['images'][0]['file_name'] == 'north/0 <b>&.png'
    kinds = Counter(type(one['segmentation']).__name__ for one in content['annotations'])
    assert kinds['dict'] and kinds['list'] and sum(kinds.values()) == done['blobs']
    mask = plume(0)
    mine = [one for one in content['annotations'] if one['image_id'] == 1]
    for number, value in ((1, 1), (2, 2), (3, 255)):
        area = sum(one['area'] for one in mine if one['category_id'] == number)
        assert area == (mask == value).sum()


def test_labelme_finds_its_image_and_paints_holes_over(tmp_path):
    root = plume_data(tmp_path / 'data')
    out, done = export(root, 'labelme')
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob('*.json')) == [
        'north/0 <b>&.json', 'north/1.json', 'north/2.json', 'north/3.json', 'north/clear.json'
    ]  # fmt: skip
    path = out / 'north/1.json'
    content = json.loads(path.read_text())
    assert (path.parent / content['imagePath']).samefile(root / 'images/north/1.png')
    assert (content['imageWidth'], content['imageHeight'], content['imageData']) == (160, 120, None)
    assert {'_background_', '__ignore__'} < {shape['label'] for shape in content['shapes']}
    assert done['labels'] == [*CLASSES, '_background_', '__ignore__']


def test_cvat_has_holes_as_background_above(tmp_path):
    out, done = export(plume_data(tmp_path / 'data'), 'cvat', model='student')
    root = ElementTree.parse(out).getroot()
    names = [one.text for one in root.iterfind('meta/task/labels/label/name')]
    assert names == done['labels'] == [*CLASSES, 'background', 'ignore']
    assert root.find('image').attrib == dict(
        id='0', name='north/0 <b>&.png', width='160', height='120'
    )
    heights = {
        kind: {int(one.get('z_order')) % 2 for one in root.iter('polygon') if hole(one) == kind}
        for kind in (True, False)
    }
    assert heights == {True: {1}, False: {0}}
    assert {one.get('source') for one in root.iter('polygon')} == {'auto'}


def hole(polygon):
    return polygon.get('label') == 'background'


def test_label_studio_shows_proposals_as_predictions(tmp_path):
    out, done = export(plume_data(tmp_path / 'data'), 'label-studio', model='a"b', url='s3://x/')
    tasks = json.loads(out.read_text())
    assert tasks[0]['data']['image'] == 's3://x/north/0%20%3Cb%3E%26.png'
    assert tasks[0]['predictions'][0]['model_version'] == 'a"b'
    results = [one for task in tasks for one in task['predictions'][0]['result']]
    assert len(results) == done['blobs'] and done['labels'] == [*CLASSES, 'ignore']
    points = np.concatenate([one['value']['points'] for one in results])
    assert points.min() == 0 and 60 < points.max() <= 100
    view = ElementTree.parse(out.with_suffix('.config.xml')).getroot()
    assert [one.get('value') for one in view.iter('Label')] == done['labels']
    (name,) = {one['from_name'] for one in results}
    assert view.find(f"PolygonLabels[@name='{name}']") is not None
    # nobody has accepted them yet, so there is nothing to read back
    assert read_drawings(out) == ([], 5)


def test_the_table_has_boxes_and_areas(tmp_path):
    root = plume_data(tmp_path / 'data')
    pictures, _ = pictures_of(root, None, CLASSES)
    write_polygons(tmp_path / 'blobs.csv', pictures, 'csv', CLASSES)
    with open(tmp_path / 'blobs.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    mask = plume(2)
    mine = [row for row in rows if row['image'] == 'north/2.png' and row['class'] == 'smoke']
    assert sum(int(row['area']) for row in mine) == (mask == 1).sum()
    y, x = np.nonzero(mask == 1)
    assert min(int(row['x']) for row in mine) == x.min()
    assert max(int(row['y']) + int(row['height']) for row in mine) == y.max() + 1
    share = sum(float(row['percent']) for row in mine)
    assert share == pytest.approx(100 * (mask == 1).mean(), abs=0.01)


def test_masks_of_a_model_are_matched_with_their_images(tmp_path):
    root = plume_data(tmp_path / 'data')
    masks = tmp_path / 'out/masks/north'
    masks.mkdir(parents=True)
    shutil.copy(root / 'masks/north/2.png', masks)
    for images in (root, root / 'images'):
        pictures, without = pictures_of(tmp_path / 'out', images, CLASSES)
        assert [one.name for one in pictures] == ['north/2.png'] and without == 4
    (tmp_path / 'out/masks').rename(tmp_path / 'out/images')  # as tools/infer.py does of a data set
    (tmp_path / 'out/masks').mkdir()
    (tmp_path / 'out/images').rename(tmp_path / 'out/masks/images')
    pictures, _ = pictures_of(tmp_path / 'out', root, CLASSES)
    assert [one.mask for one in pictures] == [tmp_path / 'out/masks/images/north/2.png']
    pictures, _ = pictures_of(root, None, CLASSES, ['val'])
    assert [one.name for one in pictures] == ['north/0 <b>&.png']


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(images=None), 'say with --images'),
        (dict(source='nowhere'), 'folder .*nowhere not found'),
        (dict(splits=['val']), 'has no splits'),
        (dict(images='empty'), 'no images found'),
        (dict(images='other'), 'no mask of any of these'),
    ],
)
def test_folders_that_do_not_fit(tmp_path, change, message):
    root = plume_data(tmp_path / 'data', 1)
    (tmp_path / 'empty').mkdir()
    save(tmp_path / 'other/1.png', np.zeros((9, 9, 3), np.uint8))
    given = {'source': 'data/masks', 'images': root / 'images', **change}
    source = tmp_path / given.pop('source')
    if isinstance(given['images'], str):
        given['images'] = tmp_path / given['images']
    with pytest.raises(UserError, match=message):
        pictures_of(source, classes=CLASSES, **given)


def test_images_that_would_share_a_mask_are_named(tmp_path):
    root = plume_data(tmp_path / 'data', 1)
    for name in ('a.png', 'a.jpg'):
        save(tmp_path / 'photos' / name, np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(DataError, match=r'a\.jpg and .*a\.png would share a mask'):
        pictures_of(root / 'masks', tmp_path / 'photos', CLASSES)


@pytest.mark.parametrize(
    'mask, message',
    [
        (np.full((120, 160), 3), r'no class \(.*\) has the value 3; is one missing'),
        (np.zeros((100, 160)), 'mask is 160x100, image is 160x120'),
        (np.zeros((120, 160, 3)), 'one 8-bit channel'),
        (np.eye(120, 160) * 255, 'black and white'),
    ],
)
def test_masks_that_do_not_fit(tmp_path, mask, message):
    root = plume_data(tmp_path / 'data', 1)
    save(root / 'masks/north/0 <b>&.png', mask.astype(np.uint8))
    with pytest.raises(DataError, match=message):
        export(root, 'coco')
    assert not (tmp_path / 'outlines.json').exists()


@pytest.mark.parametrize(
    'form, change, message',
    [
        ('yolo', {}, 'format must be one of coco, labelme'),
        ('coco', dict(model='m'), 'coco cannot say that masks are the proposals'),
        ('cvat', dict(url='s3://'), 'names files, not addresses'),
        ('coco', dict(simplify=-1), 'simplify must be from 0'),
        ('coco', dict(simplify=float('nan')), 'simplify must be from 0'),
        ('coco', dict(min_area=-1), 'min_area must not be negative'),
        ('coco', dict(classes=['smoke', 'ignore']), "no class may be called 'ignore'"),
        ('coco', dict(classes=['smoke', 'smoke']), 'named twice'),
    ],
)
def test_settings_that_make_no_sense(tmp_path, form, change, message):
    pictures, _ = pictures_of(plume_data(tmp_path / 'data', 1), None, CLASSES)
    settings = dict(classes=CLASSES) | change
    with pytest.raises(UserError, match=message):
        write_polygons(tmp_path / 'out', pictures, form, **settings)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('form', FILES)
def test_corrections_are_not_overwritten_by_mistake(tmp_path, form):
    root = plume_data(tmp_path / 'data', 1)
    export(root, form)
    with pytest.raises(UserError, match='may hold corrections; pass --overwrite'):
        export(root, form)
    export(root, form, overwrite=True)
    pictures, _ = pictures_of(root, None, CLASSES)
    other = tmp_path / ('file' if form == 'labelme' else 'folder')
    other.touch() if form == 'labelme' else other.mkdir()
    with pytest.raises(UserError, match=r'which [\w-]+ is not written to'):
        write_polygons(other, pictures, form, CLASSES, overwrite=True)


def test_images_turned_by_exif_are_outlined_as_they_are_seen(tmp_path):
    tag = Image.Exif()
    tag[0x0112] = 6
    save(tmp_path / 'photos/1.jpg', np.zeros((20, 30, 3), np.uint8), exif=tag)
    save_palette(tmp_path / 'masks/1.png', np.eye(30, 20, dtype=np.uint8))
    pictures, _ = pictures_of(tmp_path / 'masks', tmp_path / 'photos', ['smoke'])
    write_polygons(tmp_path / 'out.xml', pictures, 'cvat')
    assert re.search('width="20" height="30"', (tmp_path / 'out.xml').read_text())
