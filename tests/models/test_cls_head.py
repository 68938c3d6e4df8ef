import pytest
import torch
from mmpretrain.models import VisionTransformer

from mmsmoke.models import CLSHead, ViTWithCLS
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

VIT = dict(
    arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
    img_size=32,
    patch_size=8,
)
SIZES = [(32, 32), (32, 72), (72, 24)]


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build_head(num_classes=3, in_channels=8):
    head = CLSHead(num_classes=num_classes, in_channels=in_channels)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


def features():
    return torch.randn(2, 8), torch.randn(2, 8, 5, 7)


def build_backbone():
    backbone = ViTWithCLS(**VIT)
    backbone.init_weights()
    backbone.eval()
    return backbone


# ViTWithCLS


@pytest.mark.parametrize('size', SIZES)
def test_one_pass_gives_what_the_plain_vit_gives_in_two(size):
    backbone = build_backbone()
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        cls_token, patches = backbone(image)
        for out_type, output in (('cls_token', cls_token), ('featmap', patches)):
            plain = VisionTransformer(out_type=out_type, **VIT)
            plain.eval()
            plain.load_state_dict(backbone.state_dict())  # the same names
            torch.testing.assert_close(output, plain(image)[-1])
    assert cls_token.shape == (2, 24)
    assert patches.shape == (2, 24, size[0] // 8, size[1] // 8)


def test_both_outputs_come_after_the_last_norm():
    backbone = build_backbone()
    torch.nn.init.zeros_(backbone.ln1.weight)
    torch.nn.init.constant_(backbone.ln1.bias, 0.5)
    for output in backbone(torch.randn(1, 3, 32, 32)):
        assert output.unique().tolist() == [0.5]


# CLSHead


def test_logits_are_a_linear_layer_on_the_cls_token_alone():
    head, (cls_token, patches) = build_head(), features()
    logits = head((cls_token, patches))
    weight, bias = head.classifier.weight, head.classifier.bias
    torch.testing.assert_close(logits, cls_token @ weight.T + bias)
    assert torch.equal(head((cls_token, patches + 1)), logits)


def test_map_is_the_same_layer_patch_by_patch():
    head, (cls_token, patches) = build_head(), features()
    maps = head.class_maps((cls_token, patches))
    assert maps.shape == (2, 3, 5, 7) and not head.background
    for y in range(5):
        for x in range(7):
            torch.testing.assert_close(maps[:, :, y, x], head.classifier(patches[:, :, y, x]))


def test_permuting_patches_permutes_the_map_and_keeps_the_logit():
    head, (cls_token, patches) = build_head(), features()
    order = torch.randperm(35)
    shuffled = patches.flatten(2)[:, :, order].view_as(patches)
    maps = head.class_maps((cls_token, patches)).flatten(2)[:, :, order]
    torch.testing.assert_close(head.class_maps((cls_token, shuffled)).flatten(2), maps)
    assert torch.equal(head((cls_token, shuffled)), head((cls_token, patches)))


def test_loss_is_binary_cross_entropy_of_each_class():
    head, feats = build_head(), features()
    truth = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    loss = head.loss(feats, [WeakSegDataSample().set_gt_score(row) for row in truth])['loss']
    p = head(feats).sigmoid()
    expected = -(truth * p.log() + (1 - truth) * (1 - p).log())
    # mmpretrain sums over classes and averages over images
    assert loss.item() == pytest.approx(expected.sum(1).mean().item(), rel=1e-5)


def test_configs_find_it_and_initialise_it():
    head = MODELS.build(dict(type='mmsmoke.CLSHead', num_classes=2, in_channels=64))
    head.init_weights()
    assert 0.005 < head.classifier.weight.std() < 0.02
    assert not head.classifier.bias.any()


# both in a classifier


def build_classifier():
    model = MODELS.build(
        dict(
            type='mmsmoke.CAMClassifier',
            data_preprocessor=dict(mean=[127.0] * 3, std=[64.0] * 3),
            backbone=dict(type='mmsmoke.ViTWithCLS', **VIT),
            head=dict(type='mmsmoke.CLSHead', num_classes=2, in_channels=24),
        )
    )
    model.init_weights()
    return model


@pytest.mark.parametrize('size', SIZES)
def test_cams_are_the_rectified_map_and_scores_those_of_the_token(size):
    model = build_classifier().eval()
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        predicted = model.predict(images)
        feats = model.extract_feat(images)
        maps, logits = model.head.class_maps(feats), model.head(feats)
    for sample, signed, logit in zip(predicted, maps, logits, strict=True):
        assert sample.cams.shape == (2, size[0] // 8, size[1] // 8)
        torch.testing.assert_close(sample.cams, signed.relu())
        torch.testing.assert_close(sample.pred_scores, logit.sigmoid())


def test_it_learns_four_images():
    model = build_classifier().train()
    images = torch.randn(4, 3, 32, 48)
    labels = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    samples = [WeakSegDataSample().set_gt_score(label) for label in labels]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(images, samples)['loss'].backward()
        optimizer.step()
    with torch.no_grad():
        predicted = model.eval().predict(images)
    assert torch.equal(torch.stack([s.pred_scores for s in predicted]) > 0.5, labels > 0.5)
