import copy

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models import Conformer
from test_diversified_head import batch

from mmsmoke.models.cams.attention import record_attention
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

ARCH = dict(embed_dims=24, depths=12, num_heads=2, channel_ratio=0.25)
MODEL = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(mean=[128.0] * 3, std=[64.0] * 3, to_rgb=True),
    backbone=dict(type='mmsmoke.ConformerWithCLS', arch=ARCH, base_channels=32),
    head=dict(type='mmsmoke.TransCAMHead', num_classes=2, in_channels=32, token_channels=24),
    cam=dict(type='mmsmoke.AttentionCAM'),
)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


@pytest.fixture
def net():
    net = MODELS.build(copy.deepcopy(MODEL))
    net.init_weights()
    return net.eval()


def test_the_backbone_gives_token_and_map_of_one_grid(net):
    plain = Conformer(arch=ARCH, base_channels=32)
    plain.eval()
    plain.load_state_dict(net.backbone.state_dict())
    inputs = torch.randn(2, 3, 48, 64)
    ((_, token),) = plain(inputs)
    cls_token, maps = net.backbone(inputs)
    assert maps.shape == (2, 32, 3, 4)  # a sixteenth, as the patches
    torch.testing.assert_close(cls_token, token)


def test_logits_are_the_sum_of_both_branches(net):
    feats = torch.randn(2, 24), torch.randn(2, 32, 3, 4)
    head = net.head
    maps = F.conv2d(feats[1], head.classifier.weight, padding=1)
    torch.testing.assert_close(head.class_maps(feats), maps)
    expected = maps.mean((2, 3)) + feats[0] @ head.token_classifier.weight.T
    torch.testing.assert_close(head(feats), expected + head.token_classifier.bias)


def test_maps_are_spread_along_the_attention(net):
    inputs = torch.randn(2, 3, 48, 64)
    with record_attention(net.backbone) as found:
        feats = net.extract_feat(inputs)
    assert len(found.means) == 12
    maps = net.head.class_maps(feats).flatten(2)
    between = sum(found.means)[:, 1:, 1:]
    expected = torch.einsum('bij,bkj->bki', between, maps).unflatten(-1, (3, 4))
    logits, spread = net.read_out(net, inputs)
    torch.testing.assert_close(spread[:, 0], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits, net.head(feats))


def test_both_branches_learn(net):
    data = batch()
    data['data_samples'] = [
        WeakSegDataSample().set_gt_score(label) for label in torch.eye(2).repeat(4, 1)
    ]
    losses = net.train()(**net.data_preprocessor(data), mode='loss')
    losses['loss'].backward()
    for name in ('classifier', 'token_classifier'):
        assert getattr(net.head, name).weight.grad.any()
    assert net.backbone.cls_token.grad.any()
