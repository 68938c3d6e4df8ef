import json

import numpy as np
import pytest

from mmsmoke.converters.coco import (
    CocoImage,
    decode_rle,
    draw_mask,
    fill_centres,
    plain_name,
    read_coco,
)
from mmsmoke.utils import DataError, UserError

VALUES = {1: 1, 2: 2}


def image(*annotations, width=20, height=12):
    named = [dict(id=k, category_id=1, **one) for k, one in enumerate(annotations)]
    return CocoImage('a.jpg', width, height, named)


def square(x, y, side):
    return [x, y, x + side, y, x + side, y + side, x, y + side]


def runs_of(mask):
    """Lengths of equal values down the columns, beginning with zeros."""
    flat = mask.T.ravel()
    ends = [*np.flatnonzero(np.diff(flat)), len(flat) - 1]
    runs = np.diff([-1, *ends]).tolist()
    return [0, *runs] if flat[0] else runs


def compress(runs):
    """COCO's text for runs, written independently of the decoder."""
    text = ''
    for k, run in enumerate(runs):
        number = run - runs[k - 2] if k > 2 else run
        while True:
            low, number = number & 31, number >> 5
            done = number == (-1 if low & 16 else 0)
            text += chr(48 + low + (0 if done else 32))
            if done:
                break
    return text


@pytest.mark.parametrize('seed', range(5))
def test_run_lengths_are_decoded(seed):
    rng = np.random.default_rng(seed)
    mask = (rng.random((40, 70)) < rng.choice([0.02, 0.5])).astype(np.uint8)
    mask[:, 20:50] |= seed % 2  # long runs, too
    for counts in (runs_of(mask), compress(runs_of(mask))):
        decoded = decode_rle(dict(size=[40, 70], counts=counts), (40, 70))
        assert np.array_equal(decoded, mask)


@pytest.mark.parametrize(
    'rle, message',
    [
        (dict(size=[5, 4], counts=[20]), r'mask is \[5, 4\], image is \[4, 5\]'),
        (dict(size=[4, 5], counts=[19]), 'do not add up'),
        (dict(size=[4, 5], counts=[30, -10]), 'do not add up'),
        (dict(size=[4, 5], counts='P'), 'ends too early'),
    ],
)
def test_wrong_run_lengths_are_named(rle, message):
    with pytest.raises(DataError, match=message):
        decode_rle(rle, (4, 5))


def test_where_outlines_overlap_the_smaller_value_counts():
    one = image(dict(segmentation=[square(2, 2, 5)]), dict(segmentation=[square(4, 4, 5)]))
    one.annotations[0]['category_id'] = 2
    mask = draw_mask(one, VALUES)
    assert mask[3, 3] == 2 and mask[5, 5] == mask[8, 8] == 1 and mask[0, 0] == 0
    one.annotations.reverse()
    assert np.array_equal(draw_mask(one, VALUES), mask)


def test_coordinates_are_truncated_and_the_border_belongs_to_the_region():
    mask = draw_mask(image(dict(segmentation=[[2.9, 3.9, 6.9, 3.9, 6.9, 7.9, 2.9, 7.9]])), VALUES)
    assert np.argwhere(mask).min(0).tolist() == [3, 2]
    assert np.argwhere(mask).max(0).tolist() == [7, 6] and mask.sum() == 25


def test_several_polygons_crowds_and_degenerate_outlines():
    crowd = np.zeros((12, 20), np.uint8)
    crowd[0, :4] = 1
    one = image(
        dict(segmentation=[square(2, 2, 2), square(9, 2, 2), [1, 1, 5, 5]]),
        dict(segmentation=dict(size=[12, 20], counts=runs_of(crowd)), iscrowd=1),
    )
    mask = draw_mask(one, VALUES)
    assert mask.sum() == 9 + 9 + 4 and mask[0, 3] and mask[3, 10]
    assert not draw_mask(image(), VALUES).any()


@pytest.mark.parametrize(
    'outline, message',
    [
        ([], 'annotation 0 of a.jpg has no outline'),
        ([[1, 2, 3, 4, 5]], 'odd number of coordinates'),
        ([[1, 2, float('nan'), 4, 5, 6]], 'not a number'),
        ([[10**400, 2, 3, 4, 5, 6]], 'annotation 0 of a.jpg has an outline that cannot be'),
        ([['a', 'b', 'c', 'd', 'e', 'f']], 'annotation 0 of a.jpg has an outline that cannot be'),
        (dict(size=[12, 20], counts=None), 'annotation 0 of a.jpg has an outline that cannot be'),
        (dict(size=None, counts=[240]), 'annotation 0 of a.jpg has an outline that cannot be'),
    ],
)
def test_outlines_that_cannot_be_drawn_are_named(outline, message):
    with pytest.raises(DataError, match=message):
        draw_mask(image(dict(segmentation=outline)), VALUES)


def test_reading_keeps_images_without_annotations(tmp_path):
    path = tmp_path / 'coco.json'
    content = dict(
        images=[dict(id=7, file_name='a b.jpg', width=4, height=3),
                dict(id=9, file_name='é.jpg', width=4, height=3)],
        annotations=[dict(id=1, image_id=9, category_id=2, segmentation=[[0, 0, 1, 0, 1, 1]])],
        categories=[dict(id=2, name='low')],
    )  # fmt: skip
    path.write_bytes(b'\xef\xbb\xbf' + json.dumps(content).replace(',', ',\r\n').encode())
    images, categories = read_coco(path)
    assert [len(one.annotations) for one in images] == [0, 1]
    assert images[1].file_name == 'é.jpg' and categories == {2: 'low'}


@pytest.mark.parametrize(
    'text, message',
    [
        ('no json', 'is no JSON file'),
        ('[' * 100000, 'is no JSON file'),
        ('{"images": []}', 'is not a COCO file'),
        ('{"images": [{"id": 1}], "annotations": []}', 'is not a COCO file'),
        ('{"images": [], "annotations": [{"id": 5, "image_id": 3}]}', 'is not a COCO file'),
        (
            '{"images": [], "annotations": [{"id": 5, "image_id": 3, "category_id": 1}]}',
            'annotation 5 is of image 3',
        ),
        (
            '{"images": [{"id": 1, "file_name": "a", "width": 2, "height": 2}, '
            '{"id": 1, "file_name": "b", "width": 2, "height": 2}], "annotations": []}',
            'two images have the same id',
        ),
    ],
)
def test_other_files_are_named(tmp_path, text, message):
    (tmp_path / 'x.json').write_text(text)
    with pytest.raises(UserError, match=message):
        read_coco(tmp_path / 'x.json')
    with pytest.raises(UserError, match='not found'):
        read_coco(tmp_path / 'nothing.json')


def test_both_ways_to_write_an_accent_are_one_name():
    assert plain_name('cafe\u0301.jpg') == plain_name('caf\u00e9.jpg')


def test_a_corner_far_away_is_an_error_and_not_the_end_of_the_process(tmp_path):
    image = CocoImage('a.jpg', 8, 6)
    for far in (1e6, -1e18, 2**31):
        image.annotations = [dict(id=1, category_id=1, segmentation=[[0, 0, far, 0, 5, 5]])]
        with pytest.raises(
            DataError, match=r'annotation 1 of a\.jpg: a corner lies more than 32768'
        ):
            draw_mask(image, {1: 1})
    image.annotations = [
        dict(id=1, category_id=1, segmentation=[[-5, -5, 20000, -5, 20000, 9, -5, 9]])
    ]
    assert draw_mask(image, {1: 1}).all()  # somewhat outside is cut off


def test_sizes_that_no_picture_has_are_named(tmp_path):
    for width, height in ((0, 6), (8, -1), (10**6, 10**6)):
        content = dict(
            images=[dict(id=1, file_name='a.jpg', width=width, height=height)], annotations=[]
        )
        (tmp_path / 'c.json').write_text(json.dumps(content))
        with pytest.raises(DataError, match=rf'a\.jpg is said to be {width} x {height}'):
            read_coco(tmp_path / 'c.json')


def inside(corners, x, y):
    """Cast a ray from a point and count the edges that it crosses."""
    crossed = 0
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if (y0 > y) != (y1 > y):
            crossed += x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return crossed % 2


@pytest.mark.parametrize('seed', range(8))
def test_pixels_whose_centres_lie_inside_a_polygon(seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-6, 30, (rng.integers(3, 9), 2))  # partly outside, may cross itself
    mask = np.zeros((20, 24), np.uint8)
    fill_centres(mask, corners, 'x')
    expected = [[inside(corners, x + 0.5, y + 0.5) for x in range(24)] for y in range(20)]
    assert np.array_equal(mask, expected)


def test_a_polygon_of_whole_numbers_has_its_area_and_adds_to_a_mask():
    mask = np.zeros((9, 9), np.uint8)
    for left in (1, 3):
        fill_centres(mask, np.array([[left, 2], [left + 4, 2], [left + 4, 7], [left, 7]]), 'x')
    assert mask.sum() == 6 * 5 and mask[2:7, 1:7].all()
    fill_centres(mask, np.array([[50.0, 2], [60, 2], [60, 7]]), 'x')  # beside the picture
    assert mask.sum() == 30
    with pytest.raises(DataError, match='from the origin'):
        fill_centres(mask, np.array([[0, 0], [1e9, 0], [0, 1]]), 'x')
