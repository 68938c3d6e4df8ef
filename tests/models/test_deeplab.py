"""DeepLabV1 and V2 as the literature of weak supervision trains them."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from tiny_segmentor import deeplab
from torch.nn import functional as F

from mmsmoke.engine import ScreenRunner
from mmsmoke.engine.launch import load_config, use_masks
from mmsmoke.functional import IGNORE
from mmsmoke.models import AddedASPPHead, BalancedCrossEntropyLoss, LargeFOVHead
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, read_config

SIZES = [(1, 1), (5, 7), (12, 9)]
V1 = 'segmentors/deeplabv1_r50_20k_weakseg-224.py'
V2 = 'segmentors/deeplabv2_r101_30k_weakseg-224.py'
SMALL = dict(depth=18, base_channels=4, stem_channels=4, init_cfg=None)


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        torch.manual_seed(0)
        yield


def feats(size, channels=6):
    return (torch.randn(2, channels, *size),)


def samples(labels):
    found = [WeakSegDataSample() for _ in labels]
    for sample, label in zip(found, labels, strict=True):
        sample.gt_sem_seg = PixelData(data=label[None])
    return found


def build(version):
    return MODELS.build(ConfigDict(deeplab(version)))


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('out_channels', [None, 1])
def test_logits_have_the_size_of_the_map(size, out_channels):
    last = dict(in_channels=6, num_classes=2, out_channels=out_channels, threshold=0.5)
    for head in (LargeFOVHead(channels=4, **last), AddedASPPHead(**last)):
        assert head.eval()(feats(size)).shape == (2, out_channels or 2, *size)


def test_aspp_is_the_sum_of_four_convolutions():
    head = AddedASPPHead(6, num_classes=3)
    for bias in (conv.bias for conv in head.conv_seg):
        torch.nn.init.normal_(bias)
    inputs = feats((30, 31))
    expected = 0
    for conv, rate in zip(head.conv_seg, (6, 12, 18, 24), strict=True):
        expected = expected + F.conv2d(
            inputs[0], conv.weight, conv.bias, padding=rate, dilation=rate
        )
    torch.testing.assert_close(head(inputs), expected)


def test_every_branch_of_aspp_starts_small_and_without_bias():
    head = AddedASPPHead(64, num_classes=2)
    head.init_weights()
    for conv in head.conv_seg:
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.1) and not conv.bias.any()


def test_a_place_of_the_large_field_of_view_sees_nine_others():
    linear = dict(act_cfg=None, in_channels=6, num_classes=2)
    head = LargeFOVHead(dilation=3, channels=4, **linear).eval()
    inputs = torch.zeros(1, 6, 15, 15, requires_grad=True)
    head([inputs])[0, :, 7, 7].sum().backward()
    seen = inputs.grad[0].abs().sum(0).nonzero().tolist()
    assert seen == [[row, column] for row in (4, 7, 10) for column in (4, 7, 10)]


def test_dropout_is_of_values_and_of_training_alone():
    head = LargeFOVHead(channels=4, in_channels=6, num_classes=2)
    dropped = head.dropout(torch.ones(1, 4, 40, 40))
    shares = (dropped == 0).float().mean((0, 2, 3))
    assert ((shares > 0.4) & (shares < 0.6)).all()
    inputs = feats((5, 7))
    assert torch.equal(head.eval()(inputs), head(inputs))


def test_the_loss_has_its_name_and_weight():
    head = LargeFOVHead(
        channels=4, in_channels=6, num_classes=2, loss_decode=dict(
            type='mmsmoke.BalancedCrossEntropyLoss', loss_weight=0.5, loss_name='loss_balanced'
        ),
    )  # fmt: skip
    labels = torch.full((2, 9, 9), IGNORE)
    labels[0, :4], labels[0, 5] = 0, 1
    logits = torch.randn(2, 2, 9, 9)
    found = head.loss_by_feat(logits, samples(labels))
    expected = 0.5 * BalancedCrossEntropyLoss()(logits, labels)
    assert torch.equal(found['loss_balanced'], expected) and expected > 0


@pytest.mark.parametrize('size', [(32, 32), (33, 47)])
def test_the_answer_is_the_highest_of_all_scales(size):
    model = build(2).eval()
    image = torch.randn(2, 3, *size)
    alone, expected = MODELS.build({**deeplab(2), 'type': 'EncoderDecoder'}), []
    alone.load_state_dict(model.state_dict())
    for scale in (1, 0.5, 0.75):
        shape = [round(side * scale) for side in size]
        small = F.interpolate(image, shape, mode='bilinear')
        expected.append(alone.eval()(small))
    largest = expected[0].shape[2:]
    expected = torch.stack([F.interpolate(one, largest, mode='bilinear') for one in expected])
    torch.testing.assert_close(model(image), expected.amax(0))
    meta = [dict(img_shape=size)] * 2
    whole = F.interpolate(expected.amax(0), size, mode='bilinear')
    torch.testing.assert_close(model.encode_decode(image, meta), whole)


def test_each_scale_and_the_highest_have_a_loss_that_is_the_head_s():
    model = build(2)
    model.backbone.eval()
    image, labels = torch.randn(2, 3, 32, 40), torch.randint(0, 2, (2, 32, 40))
    losses = model.loss(image, samples(labels))
    names = ['decode_1.loss_ce', 'decode_0.5.loss_ce', 'decode_0.75.loss_ce', 'decode.loss_ce']
    assert list(losses) == [*names, 'decode.acc_seg']
    highest = model.decode_head.loss_by_feat(model(image), samples(labels))
    torch.testing.assert_close(losses['decode.loss_ce'], highest['loss_ce'])
    assert len({round(losses[name].item(), 6) for name in names}) == 4


def test_windows_that_slide_agree_with_the_whole_where_they_are_as_large():
    model = build(2).eval()
    data = dict(inputs=[torch.randint(0, 256, (3, 32, 40)).byte()])
    data['data_samples'] = [
        WeakSegDataSample(metainfo=dict(ori_shape=(32, 40), img_shape=(32, 40)))
    ]
    whole = model.test_step(data)[0].seg_logits.data
    model.test_cfg.update(mode='slide', crop_size=(32, 40), stride=(16, 16))
    torch.testing.assert_close(model.test_step(data)[0].seg_logits.data, whole)
    model.test_cfg.update(crop_size=(16, 24), stride=(8, 8))
    slid = model.test_step(data)[0].seg_logits.data
    assert slid.shape == whole.shape and not torch.allclose(slid, whole)


@pytest.mark.parametrize('scales', [(), (0.5, 1), (0.0,), (-1, 0.5)])
def test_scales_that_are_none_are_refused(scales):
    with pytest.raises(UserError, match='scales must be positive and other than 1'):
        MODELS.build({**deeplab(2), 'scales': scales})


def test_the_highest_of_one_channel_is_refused():
    model = deeplab(2)
    model['decode_head'].update(out_channels=1, threshold=0.5)
    with pytest.raises(UserError, match='needs a channel of the background'):
        MODELS.build(model)


def rates(config):
    """Learning rate and decay of each parameter, as multiples of the config's."""
    cfg = load_config(config, options={f'model.backbone.{k}': v for k, v in SMALL.items()})
    cfg.model.decode_head.in_channels = 32
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    base = cfg.optim_wrapper.optimizer
    names = {id(value): name for name, value in model.named_parameters()}
    return {
        names[id(value)]: (
            round(group['lr'] / base.lr, 6), group['weight_decay'] / base.weight_decay
        )
        for group in wrapper.optimizer.param_groups
        for value in group['params']
    }  # fmt: skip


def test_new_layers_learn_ten_times_as_fast_and_their_biases_twenty():
    v1, v2 = rates(V1), rates(V2)
    for found in (v1, v2):
        for name, rate in found.items():
            if name.startswith('backbone.'):
                assert rate == (1, 0 if name.endswith('.bias') else 1), name
    assert any(name.endswith('bn1.bias') for name in v1)
    assert v1['decode_head.convs.0.conv.weight'] == v1['decode_head.conv_seg.weight'] == (10, 1)
    assert v1['decode_head.conv_seg.bias'] == (20, 0)
    for branch in range(4):
        assert v2[f'decode_head.conv_seg.{branch}.weight'] == (10, 1)
        assert v2[f'decode_head.conv_seg.{branch}.bias'] == (20, 0)
    assert not any('bn' in name for name in v2 if name.startswith('backbone.'))


@pytest.mark.parametrize('config', [V1, V2])
def test_nothing_comes_from_a_network_that_saw_masks(config):
    weights = read_config(config).model.backbone.init_cfg.checkpoint
    assert weights.startswith('open-mmlab://resnet') and weights.endswith('_v1c')
    assert read_config(config).load_from is None


@pytest.mark.parametrize('config', [V1, V2])
def test_two_iterations_of_training(config, tiny_dataset, tmp_path):
    root = tiny_dataset(size=(40, 32))
    options = {
        'data_root': str(root),
        'size': 32,
        **{f'model.backbone.{k}': v for k, v in SMALL.items()},
        'model.decode_head.in_channels': 32,
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'train_dataloader.batch_size': 2,
        'default_hooks.logger.interval': 1,
        **{f'{name}_dataloader.num_workers': 0 for name in ('train', 'val')},
        **{f'{name}_dataloader.persistent_workers': False for name in ('train', 'val')},
    }
    cfg = load_config(config, tmp_path / 'run', options)
    use_masks(cfg, 'true')
    runner = ScreenRunner.from_cfg(cfg)
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    changed = {name.split('.')[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {'backbone', 'decode_head'}
    assert (tmp_path / 'run/iter_2.pth').is_file()
