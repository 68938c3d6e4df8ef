import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.functional import cams_to_scores, fuse_cams
from mmsmoke.models.cams.multi_scale import RECIPES
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

PREPROCESSOR = dict(mean=[127.0] * 3, std=[64.0] * 3, to_rgb=True)
RESNET = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
VIT = dict(
    type='VisionTransformer',
    arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
    img_size=32,
    patch_size=8,
    out_type='featmap',
)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(backbone, in_channels, num_classes=1, **head):
    head = dict(type='mmsmoke.CAMHead', num_classes=num_classes, in_channels=in_channels, **head)
    model = MODELS.build(
        dict(
            type='mmsmoke.CAMClassifier',
            data_preprocessor=PREPROCESSOR,
            backbone=backbone,
            head=head,
        )
    )
    model.init_weights()
    return model.eval()


@torch.no_grad()
def predict(model, *size, count=1):
    return model.predict(torch.randn(count, 3, *size))


def test_resnet_of_output_stride_16():
    backbone = dict(**RESNET, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2))
    (sample,) = predict(build(backbone, 64), 512, 512)
    assert sample.cams.shape == (1, 32, 32)


def test_resnet_of_images_that_are_not_square():
    (sample,) = predict(build(dict(RESNET), 64, num_classes=2), 64, 160)
    assert sample.cams.shape == (2, 2, 5)


@pytest.mark.parametrize(
    ('size', 'grid'), [((32, 32), (4, 4)), ((32, 72), (4, 9)), ((72, 24), (9, 3))]
)
def test_vit_grid_follows_the_image(size, grid):
    (sample,) = predict(build(dict(VIT), 24, pool='max'), *size)
    assert sample.cams.shape == (1, *grid)


def test_vit_of_images_512_by_768_pixels():
    (sample,) = predict(build(dict(VIT, patch_size=16), 24, pool='max'), 512, 768)
    assert sample.cams.shape == (1, 32, 48)


def test_vit_logit_of_max_pooling_is_the_maximum_of_the_signed_map():
    model = build(dict(VIT), 24, num_classes=2, pool='max')
    feats = model.extract_feat(torch.randn(2, 3, 32, 72))
    strongest = model.head.class_maps(feats).flatten(2).max(-1).values
    torch.testing.assert_close(model.head(feats), strongest)


def test_both_extra_tokens_of_a_distilled_vit_are_dropped():
    distilled = dict(VIT, type='DistilledVisionTransformer')
    model = build(distilled, 24, num_classes=2, pool='max')
    raw = MODELS.build(dict(distilled, out_type='raw'))
    raw.eval()
    raw.load_state_dict(model.backbone.state_dict())
    image = torch.randn(1, 3, 32, 72)
    with torch.no_grad():
        (tokens,) = raw(image)
        maps = model.head.class_maps(model.extract_feat(image))
    assert tokens.shape == (1, 2 + 4 * 9, 24)
    weight = model.head.classifier.weight[:, :, 0, 0]
    for patch in range(4 * 9):
        expected = weight @ tokens[0, 2 + patch]
        torch.testing.assert_close(maps[0, :, patch // 9, patch % 9], expected)


def test_vit_patches_keep_their_place():
    """Without attention, a patch changes the map at its own position and nowhere else."""
    model = build(dict(VIT), 24, pool='max')
    for layer in model.backbone.layers:
        torch.nn.init.zeros_(layer.attn.proj.weight)
        torch.nn.init.zeros_(layer.attn.proj.bias)
    image = torch.randn(1, 3, 32, 48)
    changed = image.clone()
    changed[:, :, 8:16, 32:40] += 1  # row 1, column 4
    with torch.no_grad():
        before, after = (model.head.class_maps(model.extract_feat(x)) for x in (image, changed))
    assert ((before - after).abs() > 1e-7)[0, 0].nonzero().tolist() == [[1, 4]]


def test_backbone_of_timm():
    backbone = dict(
        type='TIMMBackbone', model_name='test_resnet', features_only=True, out_indices=(4,)
    )
    model = build(backbone, 96)
    (sample,) = predict(model, 64, 96)
    assert sample.cams.shape == (1, 2, 3)


def test_predictions_are_added_to_the_given_samples():
    model = build(dict(RESNET), 64, num_classes=2)
    given = [WeakSegDataSample(metainfo=dict(image=f'{i}.png')) for i in range(3)]
    with torch.no_grad():
        inputs = torch.randn(3, 3, 64, 64)
        predicted = model.predict(inputs, given)
        maps = model.head.class_maps(model.extract_feat(inputs))
    assert [sample.image for sample in predicted] == ['0.png', '1.png', '2.png']
    for sample, signed in zip(predicted, maps, strict=True):
        torch.testing.assert_close(sample.cams, signed.relu())
        torch.testing.assert_close(sample.pred_scores, signed.mean((-2, -1)).sigmoid())


def test_background_is_not_among_the_cams():
    model = build(dict(RESNET), 64, num_classes=2, background=True, bias=True)
    inputs = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        (sample,) = model.predict(inputs)
        maps = model.head.class_maps(model.extract_feat(inputs))
    assert maps.shape == (1, 3, 2, 3) and sample.pred_scores.shape == (2,)
    torch.testing.assert_close(sample.cams, maps[0, :2].relu())


def test_features_twice_as_strong_give_cams_twice_as_strong():
    """They are not normalised."""
    model = build(dict(RESNET), 64)
    inputs = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        (sample,) = model.predict(inputs)
        model.head.classifier.weight *= 2
        (stronger,) = model.predict(inputs)
    assert sample.cams.any()
    torch.testing.assert_close(stronger.cams, 2 * sample.cams)


class Layers:
    """Read-out of fixed signed maps [L, K, h, w] for every image."""

    normalize = 'max'
    fuse = staticmethod(fuse_cams)

    def __init__(self, maps):
        self.maps = maps

    def __call__(self, classifier, inputs):
        return torch.zeros(len(inputs), self.maps.shape[1]), self.maps.expand(
            len(inputs), -1, -1, -1, -1
        )


def test_layers_are_rectified_kept_and_fused():
    model = build(dict(RESNET), 64, num_classes=2)
    maps = torch.randn(3, 2, 4, 5)
    model.read_out = Layers(maps)
    for sample in predict(model, 64, 64, count=2):
        assert torch.equal(sample.cam_layers, maps.relu())
        torch.testing.assert_close(sample.cams, fuse_cams(maps.relu()))
        assert sample.cam_normalize == 'none'


GRAD = dict(type='mmsmoke.GradCAM')
FUSED = dict(type='mmsmoke.GradCAM', layers=(-2, -1))


@pytest.mark.parametrize(
    'cam, views',
    [
        (None, None),
        (GRAD, None),
        (FUSED, None),
        *((cam, dict(recipe=recipe)) for recipe in RECIPES for cam in (None, GRAD, FUSED)),
    ],
)
def test_cams_are_evidence_or_say_that_they_are_not(cam, views):
    model = build(dict(RESNET), 64)
    model.read_out = MODELS.build(cam or dict(type='mmsmoke.LinearCAM'))
    if views:
        given = cam or dict(type='mmsmoke.LinearCAM')
        model.read_out = MODELS.build(dict(type='mmsmoke.MultiScaleCAM', cam=given, **views))
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        (weak,) = model.predict(image)
        model.head.classifier.weight *= 3
        (strong,) = model.predict(image)
    assert weak.cams.max() > 0
    if weak.cam_normalize == 'none':
        assert strong.cams.max() <= 1
        torch.testing.assert_close(strong.cams, weak.cams, rtol=1e-3, atol=1e-3)
    else:
        torch.testing.assert_close(strong.cams, 3 * weak.cams, rtol=1e-3, atol=1e-5)
    normalised = cam is FUSED or (views and views['recipe'] == 'thesis')
    assert (weak.cam_normalize == 'none') == bool(normalised)


def test_single_layer_is_neither_fused_nor_kept_twice():
    model = build(dict(RESNET), 64, num_classes=2)
    maps = torch.randn(1, 2, 4, 5)
    model.read_out = Layers(maps)
    (sample,) = predict(model, 64, 64)
    assert torch.equal(sample.cams, maps[0].relu())
    assert 'cam_layers' not in sample


def test_linear_maps_are_the_default_and_configs_choose_others():
    model = MODELS.build(
        dict(
            type='mmsmoke.CAMClassifier',
            backbone=RESNET,
            head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=64),
            cam=dict(type='mmsmoke.LinearCAM'),
        )
    )
    assert type(model.read_out) is type(build(dict(RESNET), 64).read_out)
    assert predict(model.eval(), 64, 64)[0].cam_normalize == 'minmax'


def test_predictions_without_samples():
    predicted = predict(build(dict(RESNET), 64), 64, 64, count=2)
    assert len(predicted) == 2 and all(isinstance(s, WeakSegDataSample) for s in predicted)


def test_label_decides_what_is_present_and_else_the_prediction():
    sample = WeakSegDataSample().set_pred_score(torch.tensor([0.9, 0.2]))
    assert sample.present().tolist() == [True, False]
    sample.set_gt_score(torch.tensor([0.0, 1.0]))
    assert sample.present().tolist() == [False, True]


PIPELINE = [dict(type='mmsmoke.LoadImage'), dict(type='mmsmoke.PackWeakSegInputs')]
TEST_PIPELINE = [PIPELINE[0], dict(type='mmsmoke.LoadMask'), PIPELINE[1]]


def overfit(root, classes, steps):
    """Trains a small network on a few images; returns its losses and tested samples."""
    dataset = WeakSegDataset(str(root), classes=classes, pipeline=PIPELINE)
    batch = pseudo_collate([dataset[i] for i in range(len(dataset))])
    # fixed statistics, so that training and testing compute the same
    one_stage = dict(num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,), norm_eval=True)
    model = build(dict(**RESNET, **one_stage), 8, num_classes=len(classes)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(steps):
        data = model.data_preprocessor(batch, training=True)
        loss = model(**data, mode='loss')['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    dataset = WeakSegDataset(str(root), classes=classes, test_mode=True, pipeline=TEST_PIPELINE)
    with torch.no_grad():
        tested = model.eval().test_step(pseudo_collate([dataset[i] for i in range(len(dataset))]))
    return losses, tested


def test_it_learns_eight_images_and_its_maps_point_at_the_smoke(tiny_dataset):
    losses, tested = overfit(tiny_dataset(splits=dict(train=8)), ('smoke',), steps=40)
    assert losses[-1] < 0.3 * losses[0]
    inside, outside = [], []
    for sample in tested:
        assert (sample.pred_scores > 0.5).tolist() == sample.present().tolist()
        if sample.present():
            smoke = sample.gt_sem_seg.data[0] == 1
            scores = cams_to_scores(sample.cams, sample.ori_shape)[0]
            inside.append(scores[smoke].mean().item())
            outside.append(scores[~smoke].mean().item())
    assert np.mean(inside) > 2 * np.mean(outside)


def test_it_learns_three_classes(tiny_dataset):
    classes = ('smoke', 'steam', 'fog')
    root = tiny_dataset(splits=dict(train=8), classes=classes)
    losses, tested = overfit(root, classes, steps=120)
    assert losses[-1] < 0.5 * losses[0]
    assert all(sample.cams.shape[0] == 3 for sample in tested)
    right = [(s.pred_scores > 0.5) == s.present() for s in tested]
    assert torch.stack(right).float().mean() > 0.8
