import numpy as np
import pytest
import torch
from PIL import Image

from mmsmoke.engine.picture import picture
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import DataError


def sample_of(path, height, width):
    sample = WeakSegDataSample(metainfo=dict(img_path=str(path)))
    sample.seg_scores = torch.zeros(1, height, width)
    return sample


@pytest.fixture
def pixels(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    return pixels


def as_loaded(pixels):
    return torch.from_numpy(pixels[..., ::-1].transpose(2, 0, 1).copy())


def test_what_the_loader_gave_is_taken_if_it_has_the_size_of_the_scores(pixels, tmp_path):
    found = picture(as_loaded(pixels), sample_of(tmp_path / 'gone.png', 5, 7))
    assert (found == pixels).all()
    assert found.flags.c_contiguous and found.dtype == np.uint8


def test_otherwise_the_file_is_read_again(pixels, tmp_path):
    found = picture(torch.zeros(3, 4, 4, dtype=torch.uint8), sample_of(tmp_path / 'a.png', 5, 7))
    assert (found == pixels).all()
    assert found.flags.c_contiguous and found.dtype == np.uint8


def test_a_file_that_has_changed_is_named(pixels, tmp_path):
    with pytest.raises(DataError, match=r'a\.png is 7x5 pixels large, its scores 9x6'):
        picture(torch.zeros(3, 4, 4, dtype=torch.uint8), sample_of(tmp_path / 'a.png', 6, 9))
