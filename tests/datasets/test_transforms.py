import pickle

import cv2
import numpy as np
import pytest
import torch
from conftest import save, save_palette
from mmcv.transforms import RandomFlip, Resize
from PIL import Image

from mmsmoke.datasets.transforms import LoadContext, LoadImage, LoadMask, PackWeakSegInputs
from mmsmoke.registry import TRANSFORMS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import DataError

HEIGHT, WIDTH = 24, 32
# red in the upper left corner, green in the lower left, blue in the upper right
PICTURE = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
PICTURE[:8, :8] = (250, 0, 0)
PICTURE[-8:, :8] = (0, 250, 0)
PICTURE[:8, -8:] = (0, 0, 250)
NOISE = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)


def load(path, **kwargs):
    return LoadImage(**kwargs).transform(dict(img_path=str(path), row=5))


def failure(path, **kwargs):
    with pytest.raises(DataError) as caught:
        load(path, **kwargs)
    return str(caught.value)


# LoadImage


def test_channels_are_blue_green_red_as_everywhere_in_openmmlab(tmp_path):
    results = load(save(tmp_path / 'a.png', PICTURE))
    assert np.array_equal(results['img'], PICTURE[..., ::-1])
    assert results['ori_shape'] == results['img_shape'] == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ('mode', 'suffix'),
    [('L', 'png'), ('LA', 'png'), ('P', 'png'), ('1', 'png'), ('RGBA', 'png'), ('CMYK', 'jpg')],
)
def test_images_of_any_kind_become_three_channels(tmp_path, mode, suffix):
    path = tmp_path / f'a.{suffix}'
    Image.fromarray(PICTURE).convert(mode).save(path)
    image = load(path)['img']
    assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
    assert image[:8, :8].mean() > image[8:16, 8:16].mean()


def test_transparency_does_not_change_colours(tmp_path):
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[::2] = 0
    path = save(tmp_path / 'a.png', np.concatenate([PICTURE, alpha], axis=-1))
    assert np.array_equal(load(path)['img'], PICTURE[..., ::-1])


@pytest.mark.parametrize('orientation', range(1, 9))
def test_photo_is_turned_the_way_its_camera_says(tmp_path, orientation):
    turns = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(turns[orientation](PICTURE))
    results = load(save(tmp_path / 'a.jpg', stored, exif=exif, quality=95, subsampling=0))
    assert results['ori_shape'] == (HEIGHT, WIDTH)
    difference = results['img'].astype(int) - PICTURE[..., ::-1]
    assert np.abs(difference).mean() < 5


def test_sixteen_bit_colour_is_reduced_to_eight(tmp_path):
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), PICTURE[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(load(path)['img'], PICTURE[..., ::-1])


@pytest.mark.parametrize('dtype', [np.uint16, np.int32, np.float32])
def test_grey_images_of_more_than_eight_bits_are_refused_not_clipped(tmp_path, dtype):
    path = save(tmp_path / 'a.tif', np.full((9, 9), 4000, dtype))
    message = failure(path)
    assert str(path) in message and 'row 5' in message and '8 bits' in message


def test_unreadable_image_is_named_with_its_row(tmp_path):
    path = tmp_path / 'a b é.jpg'
    path.write_bytes(b'no picture at all')
    message = failure(path)
    assert str(path) in message and 'labels.csv row 5' in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0.0, 0.02, 0.5, 0.95])
def test_truncated_image_is_named_not_filled_with_grey(tmp_path, suffix, share):
    path = save(tmp_path / f'a{suffix}', NOISE)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    message = failure(path)
    assert str(path) in message and 'labels.csv row 5' in message


def test_missing_image_without_a_row(tmp_path):
    with pytest.raises(DataError) as caught:
        LoadImage().transform(dict(img_path=str(tmp_path / 'gone.png')))
    assert 'gone.png' in str(caught.value) and 'row' not in str(caught.value)


def test_options_of_mmcv_still_work(tmp_path):
    path = save(tmp_path / 'a.png', PICTURE)
    assert load(path, to_float32=True)['img'].dtype == np.float32
    assert np.array_equal(load(path, imdecode_backend='cv2')['img'], PICTURE[..., ::-1])


def test_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(DataError('a.png: broken')))
    assert isinstance(error, DataError) and str(error) == 'a.png: broken'


# LoadMask


def mask_with_all_values():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[0, :3] = 1, 2, 255
    return mask


@pytest.mark.parametrize('write', [save, save_palette])
def test_mask_values_are_read_as_they_are(tmp_path, write):
    path = write(tmp_path / 'a.png', mask_with_all_values())
    results = LoadMask().transform(dict(seg_map_path=str(path), gt_score=[1.0]))
    assert np.array_equal(results['gt_seg_map'], mask_with_all_values())
    assert results['seg_fields'] == ['gt_seg_map']


def test_negative_without_a_file_has_an_empty_mask():
    results = LoadMask().transform(dict(gt_score=[0.0, 0.0], ori_shape=(5, 7)))
    assert results['gt_seg_map'].shape == (5, 7) and not results['gt_seg_map'].any()


def test_positive_without_a_file_has_no_mask():
    results = LoadMask().transform(dict(gt_score=[0.0, 1.0], ori_shape=(5, 7)))
    assert 'gt_seg_map' not in results and not results.get('seg_fields')


def test_image_without_labels_has_no_mask():
    assert LoadMask().transform(dict(ori_shape=(5, 7))) == dict(ori_shape=(5, 7))


def test_required_mask_that_is_not_there_says_what_to_set():
    with pytest.raises(DataError, match=r'a\.png.*seg_map_dir'):
        LoadMask(required=True).transform(dict(img_path='a.png', gt_score=[1.0]))


def test_unreadable_mask_is_named(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(b'no picture')
    with pytest.raises(DataError, match=r'a\.png: mask cannot be read'):
        LoadMask().transform(dict(seg_map_path=str(path), gt_score=[1.0]))


def test_mask_is_resized_and_flipped_with_the_image(tmp_path):
    half = np.zeros((HEIGHT, WIDTH), np.uint8)
    half[:, : WIDTH // 2] = 1
    results = dict(
        img_path=str(save(tmp_path / 'a.png', np.stack([half * 200] * 3, -1))),
        seg_map_path=str(save(tmp_path / 'm.png', half)),
        gt_score=[1.0],
    )
    steps = [LoadImage(), LoadMask(), Resize((2 * WIDTH, 2 * HEIGHT)), RandomFlip(prob=1.0)]
    for step in steps:
        results = step(results)
    assert results['gt_seg_map'].shape == (2 * HEIGHT, 2 * WIDTH)
    assert np.array_equal(results['gt_seg_map'] == 1, results['img'][..., 0] > 100)
    assert results['gt_seg_map'][:, -WIDTH:].all() and not results['gt_seg_map'][:, :WIDTH].any()


def test_truth_keeps_its_size_if_loaded_after_resizing(tmp_path):
    results = dict(img_path=str(save(tmp_path / 'a.png', PICTURE)), gt_score=[0.0])
    for step in (LoadImage(), Resize((64, 64)), LoadMask()):
        results = step(results)
    assert results['img'].shape[:2] == (64, 64)
    assert results['gt_seg_map'].shape == (HEIGHT, WIDTH)


# LoadContext


def test_context_is_loaded_where_there_is_one(tmp_path):
    path = save_palette(tmp_path / 'a.png', mask_with_all_values())
    assert 'gt_context' not in LoadContext().transform({})
    results = LoadContext().transform(dict(context_path=str(path)))
    assert np.array_equal(results['gt_context'], mask_with_all_values())


# PackWeakSegInputs


def test_everything_is_packed():
    results = dict(
        img=PICTURE[:, ::-1],
        gt_score=[1.0, 0.0, 1.0],
        gt_label=[0, 2],
        gt_seg_map=mask_with_all_values(),
        gt_context=mask_with_all_values() % 2,
        image='images/a.png',
        img_path='root/images/a.png',
        ori_shape=(HEIGHT, WIDTH),
        flip=True,
        secret='not asked for',
    )
    packed = PackWeakSegInputs().transform(results)
    assert torch.equal(packed['inputs'], torch.from_numpy(PICTURE[:, ::-1].copy()).permute(2, 0, 1))
    sample = packed['data_samples']
    assert isinstance(sample, WeakSegDataSample)
    assert sample.gt_score.tolist() == [1, 0, 1] and sample.gt_label.tolist() == [0, 2]
    assert sample.gt_score.dtype == torch.float32 and sample.gt_label.dtype == torch.int64
    assert sample.gt_sem_seg.data.shape == (1, HEIGHT, WIDTH)
    assert sample.gt_sem_seg.data.dtype == torch.int64
    assert sample.gt_sem_seg.data[0, 0, :3].tolist() == [1, 2, 255]
    assert sample.gt_context.data[0, 0, :3].tolist() == [1, 0, 1]
    assert sample.image == 'images/a.png' and sample.flip is True
    assert 'secret' not in sample


def test_negative_has_an_empty_label_of_integers():
    packed = PackWeakSegInputs().transform(dict(img=PICTURE, gt_score=[0.0], gt_label=[]))
    label = packed['data_samples'].gt_label
    assert label.shape == (0,) and label.dtype == torch.int64


def test_image_alone_is_enough():
    sample = PackWeakSegInputs().transform(dict(img=PICTURE))['data_samples']
    assert 'gt_score' not in sample and 'gt_sem_seg' not in sample


@pytest.mark.parametrize('name', ['LoadImage', 'LoadMask', 'LoadContext', 'PackWeakSegInputs'])
def test_configs_find_the_transforms(name):
    assert type(TRANSFORMS.build(dict(type=f'mmsmoke.{name}'))).__name__ == name
