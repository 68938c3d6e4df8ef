import mmcv
import numpy as np
import pytest
from conftest import save
from PIL import Image

from mmsmoke.datasets.pictures import read_image
from mmsmoke.datasets.transforms import LoadImage
from mmsmoke.utils import DataError

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 32, 4)).astype(np.uint8)


@pytest.mark.parametrize(
    'name, options',
    [
        ('RGB.jpg', {}), ('L.jpg', {}), ('CMYK.jpg', {}), ('RGB.png', {}), ('RGBA.png', {}),
        ('LA.png', {}), ('P.png', {}), ('1.png', {}), ('PA.tif', {}), ('RGB.jpg', dict(turned=6)),
    ],
)  # fmt: skip
def test_an_image_is_read_as_mmcv_reads_it(tmp_path, name, options):
    picture = Image.fromarray(PICTURE).convert(name.split('.')[0])
    exif = Image.Exif()
    exif[0x0112] = options.get('turned', 1)
    picture.save(tmp_path / name, exif=exif)
    expected = mmcv.imread(tmp_path / name, backend='pillow')
    assert np.array_equal(read_image(tmp_path / name), expected[..., ::-1])
    loaded = LoadImage().transform(dict(img_path=str(tmp_path / name)))['img']
    assert np.array_equal(loaded, expected)


def test_what_is_read_may_be_changed(tmp_path):
    read_image(save(tmp_path / 'a.png', PICTURE))[:] = 0


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(b'no picture')
    with pytest.raises(DataError, match=r'a\.png: image cannot be read: '):
        read_image(path)
    with pytest.raises(DataError, match=r'a\.png \(labels\.csv row 7\): image cannot be read: '):
        read_image(path, row=7)


def test_other_colours_are_left_to_mmcv(tmp_path):
    results = dict(img_path=str(save(tmp_path / 'a.png', PICTURE)))
    grey = LoadImage(color_type='grayscale').transform(results)['img']
    assert np.array_equal(grey, mmcv.imread(results['img_path'], 'grayscale', backend='pillow'))
