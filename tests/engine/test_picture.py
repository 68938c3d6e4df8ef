import numpy as np
import pytest
import torch
from PIL import Image

from mmsmoke.engine.picture import picture
from mmsmoke.structures import WeakSegDataSample


@pytest.fixture
def sample(tmp_path):
    """A sample of 5 x 7 pixels that are 200, 100, 50 in its file."""
    path = tmp_path / 'a.png'
    Image.fromarray(np.full((5, 7, 3), (200, 100, 50), np.uint8)).save(path)
    sample = WeakSegDataSample(metainfo=dict(img_path=str(path)))
    sample.seg_scores = torch.zeros(1, 5, 7)
    return sample


def test_inputs_of_the_right_size_are_taken_as_they_are(sample):
    inputs = torch.arange(105, dtype=torch.uint8).view(3, 5, 7)
    image = picture(inputs, sample)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    assert (image == inputs.flip(0).permute(1, 2, 0).numpy()).all()


def test_for_inputs_of_another_size_the_file_is_read(sample):
    image = picture(torch.zeros(3, 7, 5, dtype=torch.uint8), sample)
    assert image.shape == (5, 7, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert (image == (200, 100, 50)).all()


def test_a_grey_file_has_three_channels(sample):
    Image.fromarray(np.full((5, 7), 9, np.uint8)).save(sample.img_path)
    assert (picture(torch.zeros(3, 1, 1), sample) == np.full((5, 7, 3), 9)).all()
