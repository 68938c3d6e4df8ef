import csv
import hashlib
import json

import cv2
import numpy as np
import pytest
from conftest import save
from PIL import Image

from mmsmoke.converters.coco import CocoImage
from mmsmoke.converters.coco2014 import draw_classes, plan_coco2014
from mmsmoke.datasets import COCODataset
from mmsmoke.datasets.class_names import COCO_CATEGORIES, COCO_CLASSES, COCO_VALUES
from mmsmoke.functional.proposals import encode_mask
from mmsmoke.utils import DataError, UserError

WIDTH, HEIGHT = 90, 50
IDS = sorted(COCO_CATEGORIES)


def box(x, y, width, height):
    """The polygon that covers exactly these pixels."""
    right, bottom = x + width, y + height
    return [[x, y, right, y, right, bottom, x, bottom]]


def runs(x, y, width, height):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + height, x : x + width] = True
    return dict(size=[HEIGHT, WIDTH], counts=encode_mask(mask))


def annotation(category, segmentation, iscrowd=0):
    return dict(category_id=category, segmentation=segmentation, iscrowd=iscrowd)


def image_of(*annotations):
    return CocoImage('x.jpg', WIDTH, HEIGHT, list(annotations))


def content_of(split, annotated):
    images = [
        dict(id=7 * number, file_name=f'COCO_{split}2014_{number:012d}.jpg', width=WIDTH,
             height=HEIGHT)
        for number in range(len(annotated))
    ]  # fmt: skip
    annotations = [
        dict(id=100 * k + j, image_id=7 * k, **one)
        for k, found in enumerate(annotated)
        for j, one in enumerate(found)
    ]
    categories = [dict(id=key, name=name) for key, name in COCO_CATEGORIES.items()]
    return dict(images=images, annotations=annotations, categories=categories)


# twenty classes an image, a place of 8 x 4 pixels each; the fifth has none
PLACES = [(9 * (k % 10), 6 * (k // 10)) for k in range(20)]
TRAIN = [
    [annotation(key, box(*place, 8, 4)) for key, place in zip(IDS[k::4], PLACES, strict=True)]
    for k in range(4)
] + [[]]
VAL = [[annotation(1, box(0, 0, 80, 40)), annotation(1, runs(10, 41, 30, 9), 1)],
       [annotation(90, runs(5, 5, 10, 10))]]  # fmt: skip


@pytest.fixture
def coco(tmp_path):
    """COCO as its archives unpack, of five images for training and two for validation."""
    folder, rng = tmp_path / 'coco', np.random.default_rng(0)
    (folder / 'annotations').mkdir(parents=True)
    for split, annotated in (('train', TRAIN), ('val', VAL)):
        content = content_of(split, annotated)
        write(folder, split, content)
        for image in content['images']:
            picture = rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
            save(folder / f'{split}2014' / image['file_name'], picture)
    return folder


def write(folder, split, content):
    path = folder / f'annotations/instances_{split}2014.json'
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def convert(load_tool, run_main):
    main = load_tool('dataset_converters/coco2014.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def rows_of(root):
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        return {row['image']: row for row in csv.DictReader(file)}


def test_values_are_the_published_ids_without_gaps():
    gaps = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    assert [key for key in range(1, 91) if key not in gaps] == IDS
    assert [COCO_VALUES[key] for key in IDS] == list(range(1, 81))
    for key, value, name in (
        (1, 1, 'person'), (11, 11, 'fire hydrant'), (13, 12, 'stop sign'), (25, 24, 'giraffe'),
        (27, 25, 'backpack'), (31, 27, 'handbag'), (46, 41, 'wine glass'), (65, 60, 'bed'),
        (67, 61, 'dining table'), (70, 62, 'toilet'), (72, 63, 'tv'), (84, 74, 'book'),
        (90, 80, 'toothbrush'),
    ):  # fmt: skip
        assert COCO_VALUES[key] == value and COCO_CLASSES[value - 1] == name


def test_the_smaller_of_two_instances_lies_on_top_in_any_order():
    dog, cat = annotation(18, box(10, 10, 30, 20)), annotation(17, runs(20, 15, 40, 30))
    tie = annotation(44, box(15, 12, 5, 5))
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[15:45, 20:60] = COCO_VALUES[17]
    expected[10:30, 10:40] = COCO_VALUES[18]
    expected[12:17, 15:20] = COCO_VALUES[44]
    for order in ((dog, cat, tie), (tie, cat, dog), (cat, tie, dog)):
        assert np.array_equal(draw_classes(image_of(*order)), expected)


def test_of_two_equally_large_the_later_lies_on_top():
    one, two = annotation(1, box(10, 10, 8, 8)), annotation(3, box(14, 10, 8, 8))
    assert draw_classes(image_of(one, two))[12, 15] == 3
    assert draw_classes(image_of(two, one))[12, 15] == 1


def test_a_crowd_is_ignored_but_never_hides_an_instance():
    crowd = annotation(1, runs(30, 20, 4, 4), 1)
    person = annotation(1, box(0, 0, 32, 50))
    for order in ((crowd, person), (person, crowd)):
        mask = draw_classes(image_of(*order))
        assert (mask[20:24, 32:34] == 255).all() and (mask[20:24, 30:32] == 1).all()
    assert np.count_nonzero(mask == 255) == 8


def test_several_polygons_and_holes_of_runs():
    outline = [*box(5, 5, 6, 6), *box(30, 5, 6, 6)]
    mask = draw_classes(image_of(annotation(10, outline)))
    assert np.count_nonzero(mask == 10) == 72
    ring = np.zeros((HEIGHT, WIDTH), bool)
    ring[10:20, 10:20] = True
    ring[13:17, 13:17] = False
    segmentation = dict(size=[HEIGHT, WIDTH], counts=encode_mask(ring))
    assert np.array_equal(draw_classes(image_of(annotation(2, segmentation))) == 2, ring)


def test_files_labels_and_check(coco, convert, load_tool, run_main, tmp_path):
    out = tmp_path / 'out'
    code, text, error = convert(coco, out)
    assert code == 0, text + error
    assert '1 images without any annotation are left out' in text
    rows = rows_of(out)
    assert list(next(iter(rows.values()))) == ['image', 'split', *COCO_CLASSES]
    assert [row['split'] for row in rows.values()] == ['train'] * 4 + ['val'] * 2
    name = 'train2014/COCO_train2014_000000000001'
    mask = np.array(Image.open(out / f'masks/{name}.png'))
    assert sorted(np.unique(mask)) == [0, *(COCO_VALUES[key] for key in IDS[1::4])]
    row = rows[f'images/{name}.jpg']
    assert {one for one in COCO_CLASSES if row[one] == '1'} == set(COCO_CLASSES[1::4])
    assert (out / f'images/{name}.jpg').read_bytes() == (coco / f'{name}.jpg').read_bytes()
    data = COCODataset(str(out), split='val', test_mode=True)
    assert [info['gt_label'] for info in data] == [[0], [79]]
    assert data.metainfo['classes'][:2] == ('background', 'person')
    code, text, _ = run_main(load_tool('check_dataset.py').main, out)
    assert code == 0 and 'no problems' in text and 'smoke' not in text
    assert 'toothbrush' in text and max(map(len, text.splitlines())) < 140
    assert cv2.imread(str(out / 'samples.png')) is not None


def test_a_class_that_is_there_as_a_crowd_alone_counts_as_present(coco, convert, tmp_path):
    crowd = [annotation(3, runs(0, 0, 20, 20), 1)]
    hidden = [annotation(2, box(10, 10, 5, 5)), annotation(2, box(60, 10, 9, 9)),
              annotation(4, box(9, 9, 7, 7)), annotation(5, box(10, 10, 5, 5))]  # fmt: skip
    write(coco, 'val', content_of('val', [crowd, hidden]))
    assert convert(coco, tmp_path / 'out')[0] == 0
    data = COCODataset(str(tmp_path / 'out'), split='val', test_mode=True)
    # what a later one of its size hides is in no mask; here another bicycle is
    assert [info['gt_label'] for info in data] == [[2], [1, 3, 4]]


def test_the_checksum_is_of_names_and_pixels_alone(coco, convert, tmp_path):
    sums = []
    for number in range(2):
        out = tmp_path / f'{number}'
        text = convert(coco, out)[1]
        found = json.loads((out / 'manifest.json').read_text())['masks']
        assert found['train']['masks'] == 4 and found['val']['masks'] == 2
        assert f'masks of val: 2, sha256 {found["val"]["sha256"]}' in text
        sums.append(found)
    assert sums[0] == sums[1]
    lines = ''
    for path in sorted((tmp_path / '0/masks/val2014').iterdir()):
        mask = np.array(Image.open(path))
        digest = hashlib.sha256(mask.tobytes()).hexdigest()
        lines += f'val2014/{path.name} {mask.shape} {digest}\n'
    assert hashlib.sha256(lines.encode()).hexdigest() == sums[0]['val']['sha256']
    # packed in another way, the same; one pixel, another
    path = tmp_path / '0/masks/val2014/COCO_val2014_000000000001.png'
    Image.open(path).save(path, compress_level=0)
    convert(coco, tmp_path / '0')
    manifest = tmp_path / '0/manifest.json'
    assert json.loads(manifest.read_text())['masks'] == sums[0]
    mask = np.array(Image.open(path))
    mask[0, 0] = 1
    save(path, mask)
    convert(coco, tmp_path / '0')
    changed = json.loads(manifest.read_text())['masks']
    assert changed['train'] == sums[0]['train'] and changed['val'] != sums[0]['val']


def test_missing_images_have_addresses(coco, convert, tmp_path):
    lost = coco / 'train2014/COCO_train2014_000000000002.jpg'
    lost.unlink()
    fetch = tmp_path / 'fetch.txt'
    code, text, _ = convert(coco, tmp_path / 'out', '--fetch-list', fetch)
    assert code == 1 and f'1 missing file, such as {lost}' in text
    assert f'http://images.cocodataset.org/train2014/{lost.name}' in fetch.read_text()
    assert not (tmp_path / 'out').exists()
    assert convert(coco, tmp_path / 'out', '--skip-broken')[0] == 0
    assert len(rows_of(tmp_path / 'out')) == 5


def test_a_file_of_another_year_or_split_is_refused(coco, convert, tmp_path):
    content = content_of('train', TRAIN)
    for image in content['images']:
        image['file_name'] = image['file_name'][-16:]
    write(coco, 'train', content)
    code, _, error = convert(coco, tmp_path / 'out')
    assert code == 2 and '000000000000.jpg, which is not of COCO 2014' in error
    assert 'annotations_trainval2014.zip' in error
    path = write(coco, 'train', content_of('val', TRAIN))
    with pytest.raises(DataError, match=r'of val2014, not of train2014: .* the other split'):
        plan_coco2014(coco)
    path.rename(path.with_name('instances_train2017.json'))
    with pytest.raises(UserError, match=r'train2014.json not found: .*2017.json is of COCO 2017'):
        plan_coco2014(coco)


def test_other_categories_are_refused(coco):
    content = content_of('val', VAL)
    content['annotations'][0]['category_id'] = 12
    write(coco, 'val', content)
    with pytest.raises(DataError, match=r"category 12, which is none of COCO's 80"):
        plan_coco2014(coco)
    content['categories'][1]['name'] = 'person'
    write(coco, 'val', content)
    with pytest.raises(DataError, match=r"category 2 is 'person', in COCO it is 'bicycle'"):
        plan_coco2014(coco)


def test_a_class_without_any_training_image_is_named(coco, convert, tmp_path):
    write(coco, 'train', content_of('train', [*TRAIN[:3], TRAIN[3][:-1], []]))
    code, text, _ = convert(coco, tmp_path / 'out')
    assert code == 1 and 'no image of train shows toothbrush' in text


def test_images_of_another_size_and_outlines_that_cannot_be_read(coco, convert, tmp_path):
    path = coco / 'val2014/COCO_val2014_000000000001.jpg'
    save(path, np.zeros((HEIGHT, 9, 3), np.uint8))
    code, text, _ = convert(coco, tmp_path / 'out')
    assert code == 1 and f'{path} is 9x50, its annotations are for 90x50' in text
    broken = [annotation(1, dict(size=[3, 3], counts=[9]))]
    write(coco, 'val', content_of('val', [VAL[0], broken]))
    code, text, _ = convert(coco, tmp_path / 'new')
    assert code == 1 and 'COCO_val2014_000000000001.jpg: mask is [3, 3]' in text
