import numpy as np
import pytest
import torch
from PIL import Image

from mmsmoke.datasets.transforms import LoadImage
from mmsmoke.engine.picture import picture
from mmsmoke.structures import WeakSegDataSample


@pytest.fixture
def drawn(tmp_path):
    """A file, what the loader makes of it, and its sample."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    path = tmp_path / 'image.png'
    Image.fromarray(pixels).save(path)
    sample = WeakSegDataSample(metainfo=dict(img_path=str(path), ori_shape=(9, 7)))
    sample.seg_scores = torch.rand(1, 9, 7)
    loaded = LoadImage().transform(dict(img_path=str(path)))['img']
    return pixels, torch.from_numpy(loaded.copy()).permute(2, 0, 1), sample


def test_what_the_loader_gave_is_taken_where_it_has_the_size(drawn):
    pixels, inputs, sample = drawn
    sample.set_metainfo(dict(img_path='nowhere.png'))
    image = picture(inputs, sample)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    assert (image == pixels).all()


def test_the_file_is_read_again_where_the_loader_resized_it(drawn):
    pixels, inputs, sample = drawn
    image = picture(inputs[:, :4, :4], sample)
    assert image.flags.c_contiguous
    assert (image == pixels).all()
