import re
import sys

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import PixelData
from tiny_sam import tiny_sam
from torch.nn import functional as F

from mmsmoke.models import SAMSegmentor
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

PREPROCESSOR = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[128] * 3,
    std=[64] * 3,
    size=(64, 64),
    test_cfg=dict(size=(64, 64)),
)
FROZEN = (
    'sam.image_encoder.',
    'sam.prompt_encoder.',
    'sam.mask_decoder.iou_prediction_head.',
    *(f'sam.mask_decoder.output_hypernetworks_mlps.{k}.' for k in (1, 2, 3)),
)


def build(**options) -> SAMSegmentor:
    torch.manual_seed(0)
    cfg = dict(type='mmsmoke.SAMSegmentor', model_type='tiny', data_preprocessor=PREPROCESSOR)
    return MODELS.build({**cfg, **options})


def test_who_asks_finds_its_threshold():
    """mmseg's TTA and post-processing, and our inferencer, look in different places."""
    model = build(threshold=0.2)
    assert model.out_channels == model.decode_head.out_channels == 1
    assert model.decode_head.threshold == 0.2


def picture(size=(64, 64), seed=0):
    """Noise uint8 [3, H, W] with a bright square, and the mask [1, H, W] of the square."""
    image = torch.randint(20, 90, (3, *size), generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(1, *size, dtype=torch.long)
    mask[:, 8:24, 16:40] = 1
    return torch.where(mask.bool(), 250, image).byte(), mask


def prepared(image):
    """[1, 3, 64, 64] as the network takes it."""
    height, width = image.shape[1:]
    return F.pad((image.float() - 128) / 64, (0, 64 - width, 0, 64 - height))[None]


def batch(*pictures, **meta) -> dict:
    samples = []
    for image, mask in pictures:
        size = tuple(image.shape[1:])
        sample = WeakSegDataSample(metainfo=dict(ori_shape=size, img_shape=size, **meta))
        sample.gt_sem_seg = PixelData(data=mask.clone())
        samples.append(sample)
    return dict(inputs=[image for image, _ in pictures], data_samples=samples)


def losses_of(model, *pictures) -> dict:
    data = model.data_preprocessor(batch(*pictures), training=True)
    return model(**data, mode='loss')


def scores_of(model, image, mask, **meta):
    """Probabilities [1, H, W], and the sample they come with."""
    with torch.no_grad():
        (sample,) = model.eval().test_step(batch((image, mask), **meta))
    return sample.seg_logits.data, sample


def embeddings(model, *pictures):
    data = model.data_preprocessor(batch(*pictures), training=True)
    return model.extract_feat(data['inputs'])


# what learns


def test_what_learns_has_gradients_and_nothing_else_has():
    model = build()
    losses_of(model.train(), picture())['loss_ce'].backward()
    for name, weight in model.named_parameters():
        if name.startswith(FROZEN):
            assert not weight.requires_grad and weight.grad is None, name
        else:
            assert weight.grad is not None, name
    assert model.prompt.grad.abs().sum() > 0
    assert model.sam.mask_decoder.mask_tokens.weight.grad.abs().sum() > 0


def test_encoders_stay_in_eval_mode():
    model = build().train()
    assert model.training and model.sam.mask_decoder.training
    for encoder in (model.sam.image_encoder, model.sam.prompt_encoder):
        assert not any(module.training for module in encoder.modules())


def test_embeddings_carry_no_gradient():
    assert not embeddings(build().train(), picture()).requires_grad


def test_one_picture_can_be_learned():
    model, example = build().train(), picture()
    learnable = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learnable, lr=1e-2)
    course = []
    for _ in range(100):
        loss = losses_of(model, example)['loss_ce']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        course.append(loss.item())
    assert course[-1] < 0.1 * course[0]
    predicted = scores_of(model, *example)[1].pred_sem_seg.data
    hit, either = (predicted * example[1]).sum(), (predicted + example[1]).clamp(max=1).sum()
    assert hit > 0.8 * either


# masks


def test_raw_output_is_one_coarse_mask_an_image():
    model = build()
    assert model(torch.rand(2, 3, 64, 64)).shape == (2, 1, 16, 16)
    assert model.encode_decode(torch.rand(2, 3, 64, 64)).shape == (2, 1, 64, 64)


def test_prompt_stands_where_a_user_s_would():
    """With the embedding of a click as the token, the mask is that of the click."""
    model, (image, _) = build().eval(), picture()
    inputs = prepared(image)
    point = torch.tensor([[[30.0, 20.0]]]), torch.tensor([[1]])
    with torch.no_grad():
        sparse, dense = model.sam.prompt_encoder(points=point, boxes=None, masks=None)
        expected, _ = model.sam.mask_decoder(
            image_embeddings=model.sam.image_encoder(inputs),
            image_pe=model.sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse[:, :1],
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )
        without = model(inputs)
        model.prompt.copy_(sparse[:, :1])
        assert torch.equal(model(inputs), expected)
    assert not torch.allclose(without, expected)


def test_a_batch_is_the_images_one_by_one():
    model, one, other = build().eval(), picture(seed=0), picture((40, 64), seed=1)
    with torch.no_grad():
        together = model.decode(embeddings(model, one, other))
        singles = torch.cat([model.decode(embeddings(model, each)) for each in (one, other)])
        both, *each = (losses_of(model, *some)['loss_ce'] for some in ((one, one), (one,)))
    assert torch.allclose(together, singles, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)
    assert torch.allclose(both, each[0], atol=1e-6)


@pytest.mark.parametrize('size', [(64, 64), (40, 64), (64, 17), (30, 30)])
def test_masks_have_the_size_of_their_images(size):
    scores, sample = scores_of(build(), *picture(size))
    assert scores.shape == sample.pred_sem_seg.data.shape == (1, *size)


def test_masks_go_back_to_the_size_of_the_file():
    image, mask = picture((32, 64))
    data = batch((image, mask))
    data['data_samples'][0].set_metainfo(dict(ori_shape=(100, 201)))
    (sample,) = build().eval().test_step(data)
    assert sample.pred_sem_seg.data.shape == (1, 100, 201)


def test_padding_is_cut_off_where_it_was_added():
    model, (image, mask) = build().eval(), picture((40, 64))
    with torch.no_grad():
        expected = model.encode_decode(prepared(image))[0, :, :40].sigmoid()
    assert torch.allclose(scores_of(model, image, mask)[0], expected, atol=1e-6)


def test_threshold_is_that_of_the_probability():
    for threshold in (0.3, 0.5, 0.7):
        scores, sample = scores_of(build(threshold=threshold), *picture())
        assert torch.equal(sample.pred_sem_seg.data == 1, scores > threshold)
    assert build().decode_head.threshold == 0.3


# loss


def test_loss_is_the_mean_binary_cross_entropy():
    model, (image, mask) = build(), picture()
    logits = model.encode_decode(prepared(image))
    expected = F.binary_cross_entropy_with_logits(logits[0], mask.float())
    assert torch.allclose(losses_of(model, (image, mask))['loss_ce'], expected)


def test_ignored_pixels_do_not_count():
    model, (image, mask) = build(), picture()
    half = mask.clone()
    half[:, 32:] = 255
    logits = model.encode_decode(prepared(image))
    expected = F.binary_cross_entropy_with_logits(logits[0, :, :32], mask[:, :32].float())
    assert torch.allclose(losses_of(model, (image, half))['loss_ce'], expected)


def test_padding_does_not_count():
    model, (image, mask) = build(), picture((40, 64))
    logits = model.encode_decode(prepared(image))[0, :, :40]
    expected = F.binary_cross_entropy_with_logits(logits, mask.float())
    assert torch.allclose(losses_of(model, (image, mask))['loss_ce'], expected)


def test_an_image_that_is_ignored_altogether_teaches_nothing():
    model, (image, mask) = build(), picture()
    loss = losses_of(model, (image, mask.fill_(255)))['loss_ce']
    loss.backward()
    assert loss == 0 and model.prompt.grad.abs().sum() == 0


# weights and messages


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(1)
    torch.save(tiny_sam().state_dict(), tmp_path / 'tiny.pth')
    return tmp_path / 'tiny.pth'


def test_weights_are_read_when_training_starts_not_before(tmp_path, weights):
    build(checkpoint=str(tmp_path / 'none.pth'))
    model, expected = build(checkpoint=str(weights)), torch.load(weights)
    assert not same(model.sam.state_dict(), expected)
    model.init_weights()
    assert same(model.sam.state_dict(), expected)


def same(weights: dict, others: dict) -> bool:
    assert weights.keys() == others.keys()
    return all(torch.equal(weights[name], others[name]) for name in weights)


def test_published_weights_that_are_not_there_say_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules['segment_anything'].sam_model_registry, 'vit_b', tiny_sam)
    model = build(model_type='vit_b', checkpoint=str(tmp_path / 'none.pth'))
    address = 'https://dl.fbaipublicfiles.com/segment_anything/sam_vit_b_01ec64.pth'
    message = f'{re.escape(str(tmp_path / "none.pth"))} not found; download {re.escape(address)}'
    with pytest.raises(UserError, match=message):
        model.init_weights()


def test_other_weights_that_are_not_there_have_no_address(tmp_path):
    with pytest.raises(UserError, match=r'none\.pth not found; name the file as checkpoint='):
        build(checkpoint=str(tmp_path / 'none.pth')).init_weights()


@pytest.mark.parametrize('content', [dict(model=1), [1], dict()])
def test_files_that_hold_other_things_are_named(weights, content):
    torch.save(content, weights)
    message = rf'{re.escape(str(weights))} holds no weights of SAM tiny: \w+'
    with pytest.raises(UserError, match=message):
        build(checkpoint=str(weights)).init_weights()


def test_random_encoders_are_warned_of(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        build().init_weights()
    finally:
        logger.removeHandler(caplog.handler)
    assert 'frozen encoders have random weights' in caplog.text


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'segment_anything', None)
    with pytest.raises(UserError, match=re.escape("pip install 'mmsmoke[sam]'")):
        build()


def test_unknown_model_types_are_refused():
    with pytest.raises(UserError, match=r"model_type must be one of .*vit_h.*, got 'b'"):
        build(model_type='b')


@pytest.mark.parametrize('threshold', [0, 1, 30])
def test_thresholds_that_separate_nothing_are_refused(threshold):
    with pytest.raises(UserError, match=f'threshold must lie between 0 and 1, got {threshold}'):
        build(threshold=threshold)


def test_images_of_another_size_say_how_to_pad():
    model = build(data_preprocessor=dict(type='mmseg.SegDataPreProcessor'))
    with pytest.raises(UserError, match=r'64 x 64, got 40 x 64: .*size=\(64, 64\)'):
        model.test_step(batch(picture((40, 64))))
