import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models import BaseSegmentor, SegDataPreProcessor

from mmsmoke.models import MeanTTA
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample


class Brightness(BaseSegmentor):
    """Says of every pixel how bright it is, and sees the left half better."""

    def __init__(self, out_channels, left=0.0):
        super().__init__(data_preprocessor=SegDataPreProcessor())
        self.out_channels, self.left, self.align_corners = out_channels, left, False
        self.decode_head = type('Head', (), dict(threshold=0.6))()

    def encode_decode(self, inputs, batch_img_metas):
        bright = inputs.mean(1, keepdim=True) - 0.5
        bright[..., : bright.shape[-1] // 2] += self.left
        return bright if self.out_channels == 1 else torch.cat([-bright, bright], 1)

    def predict(self, inputs, data_samples=None):
        return self.postprocess_result(self.encode_decode(inputs, None), data_samples)

    def extract_feat(self, inputs): ...

    def _forward(self, inputs, data_samples=None): ...

    def loss(self, inputs, data_samples): ...


def views_of(image):
    """The image and its mirror image, as TestTimeAug gives them for one image."""
    inputs, samples = [], []
    for flip in (False, True):
        meta = dict(ori_shape=tuple(image.shape[1:]), flip=flip, columns=dict(group='a'))
        sample = WeakSegDataSample(metainfo=dict(**meta, flip_direction='horizontal'))
        sample.image = 'images/a.png'
        inputs.append([image.flip(-1) if flip else image])
        samples.append([sample])
    return dict(inputs=inputs, data_samples=samples)


def predict(segmentor, image):
    return MeanTTA(segmentor).test_step(views_of(image))[0]


@pytest.fixture
def image():
    return torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0))


def test_the_mean_of_the_probabilities_of_all_views(image):
    segmentor = Brightness(2, left=0.3)
    bright = image.mean(0) - 0.5
    left = torch.zeros_like(bright)
    left[:, :3] = 0.3
    mean = ((2 * (bright + left)).sigmoid() + (2 * (bright + left.flip(-1))).sigmoid()) / 2
    sample = predict(segmentor, image)
    sample_scores = sample.seg_logits.data.softmax(0)[1]
    assert torch.allclose(sample_scores, mean, atol=1e-6)
    assert torch.equal(sample.pred_sem_seg.data, (mean > 0.5).long()[None])
    assert 0 < sample.pred_sem_seg.data.sum() < 24


def test_a_single_channel_is_a_probability_once(image):
    sample = predict(Brightness(1), image)
    probability = (image.mean(0) - 0.5).sigmoid()
    assert torch.allclose(sample.seg_logits.data[0], probability)
    assert torch.equal(sample.pred_sem_seg.data[0] > 0, probability > 0.6)


@pytest.mark.parametrize('out_channels', [1, 2])
def test_views_of_a_segmentor_that_mirrors_its_answers_change_nothing(image, out_channels):
    segmentor = Brightness(out_channels)
    sample = WeakSegDataSample(metainfo=dict(ori_shape=(4, 6)))
    alone = segmentor.test_step(dict(inputs=[image], data_samples=[sample]))[0]
    merged = predict(segmentor, image)
    assert torch.equal(merged.pred_sem_seg.data.bool(), alone.pred_sem_seg.data.bool())


def test_the_sample_still_knows_its_image(image):
    sample = predict(Brightness(2), image)
    assert sample.image == 'images/a.png' and sample.columns == dict(group='a')


def test_truth_of_the_first_view_is_kept(image):
    data = views_of(image)
    for samples in data['data_samples']:
        samples[0].gt_sem_seg = PixelData(data=torch.ones(1, 4, 6))
    tta = MODELS.build(dict(type='mmsmoke.MeanTTA', module=Brightness(2)))
    assert tta.test_step(data)[0].gt_sem_seg.data.all()
