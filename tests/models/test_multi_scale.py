from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmsmoke.functional import normalize_cams
from mmsmoke.models import CAMHead, MultiScaleCAM
from mmsmoke.registry import MODELS

SIGNED = ('psa', 'seam', 'acr')  # recipes that take the maps of a view as they are
RECIPES = ('thesis', 'irn', 'afa', *SIGNED)
SIZE = (32, 64)  # every published scale gives a multiple of 16


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def network(features, channels, num_classes=2):
    """What a read-out needs of a classifier."""
    head = CAMHead(num_classes=num_classes, in_channels=channels)
    nn.init.normal_(head.classifier.weight)
    return SimpleNamespace(head=head, extract_feat=lambda x: (features(x),))


def one_sided(**kwargs):
    """A network whose map of a mirrored image is not the mirrored map."""
    layers = [nn.Conv2d(3, 6, 5, stride=8, padding=2), nn.Tanh()]
    return network(nn.Sequential(*layers), 6, **kwargs)


def equivariant():
    """Mirroring the image mirrors the map."""
    return network(lambda x: F.avg_pool2d(x, 8).tanh(), 3)


class Spy:
    """A read-out of several layers that notes what it is shown: factor times the mean colour."""

    normalize = 'minmax'

    def __init__(self, factors=(1.0,), dtype=torch.float32):
        self.factors, self.dtype, self.shown = torch.tensor(factors), dtype, []

    def __call__(self, classifier, inputs):
        self.shown.append(inputs)
        maps = F.avg_pool2d(inputs, 4).mean(1)[:, None, None]
        return maps.mean((-3, -2, -1)), (maps * self.factors[:, None, None, None]).to(self.dtype)


def images(count=3, size=SIZE, seed=0):
    return torch.randn(count, 3, *size, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def maps_of(classifier, inputs, recipe, **kwargs):
    return MultiScaleCAM(recipe, **kwargs)(classifier, inputs)[1]


@torch.no_grad()
def scores_of(classifier, inputs, recipe, **kwargs):
    read_out = MultiScaleCAM(recipe, **kwargs)
    return normalize_cams(read_out(classifier, inputs)[1].relu(), read_out.normalize)


# Each recipe, one image and one view at a time


def view_by_hand(classifier, image, scale, mirrored=False):
    size = [int(side * scale) for side in image.shape[-2:]]
    view = F.interpolate(image[None], size, mode='bilinear', align_corners=False)
    return classifier.head.class_maps(classifier.extract_feat(view.flip(-1) if mirrored else view))


def resized(maps, image, mirrored=False):
    maps = F.interpolate(maps, image.shape[-2:], mode='bilinear', align_corners=False)[0]
    return maps.flip(-1) if mirrored else maps


def thesis_by_hand(classifier, image):
    total = 0
    for scale in (0.5, 1, 1.5, 2):
        maps = view_by_hand(classifier, image, scale).clamp(min=0)
        low = maps.flatten(2).min(2).values[..., None, None]
        high = maps.flatten(2).max(2).values[..., None, None]
        total = total + resized((maps - low) / (high - low), image)
    return total / 4


def irn_by_hand(classifier, image):
    total = 0
    for scale in (1, 0.5, 1.5, 2):
        for mirrored in (False, True):
            maps = view_by_hand(classifier, image, scale, mirrored).clamp(min=0)
            total = total + resized(maps, image, mirrored)
    return total


def raw_by_hand(classifier, image, scales=(1, 0.5, 1.5, 2)):
    total = 0
    for scale in scales:
        for mirrored in (False, True):
            maps = view_by_hand(classifier, image, scale, mirrored)
            total = total + resized(maps, image, mirrored)
    return total.clamp(min=0)


def afa_by_hand(classifier, image):
    total = 0
    for scale in (1, 0.5, 1.5):
        pair = [
            resized(view_by_hand(classifier, image, scale, mirrored), image, mirrored)
            for mirrored in (False, True)
        ]
        total = total + torch.maximum(*pair).clamp(min=0)
    return total


def extremes(maps):
    return maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)


def divide_by_max(maps):
    return maps / extremes(maps)[1]


def min_max(maps, margin=0.0):
    low, high = extremes(maps)
    return ((maps - low - margin) / (high - low + margin)).clamp(min=0)


BY_HAND = dict(
    thesis=(thesis_by_hand, lambda maps: maps),
    irn=(irn_by_hand, divide_by_max),
    psa=(raw_by_hand, divide_by_max),
    seam=(raw_by_hand, lambda maps: min_max(maps, 1e-5)),
    afa=(afa_by_hand, min_max),
    acr=(lambda classifier, image: raw_by_hand(classifier, image, (1,)), min_max),
)


@pytest.mark.parametrize('recipe', RECIPES)
@torch.no_grad()
def test_recipe_is_what_a_loop_over_images_and_views_gives(recipe):
    classifier, inputs = one_sided(), images()
    merge, normalize = BY_HAND[recipe]
    merged = torch.stack([merge(classifier, image) for image in inputs])
    maps = maps_of(classifier, inputs, recipe)
    assert maps.shape == (3, 1, 2, *SIZE)
    torch.testing.assert_close(maps[:, 0].relu(), merged)
    scores = scores_of(classifier, inputs, recipe)
    torch.testing.assert_close(scores[:, 0], normalize(merged), atol=1e-5, rtol=1e-4)


def test_recipes_differ_from_each_other():
    classifier, inputs = one_sided(), images()
    scores = [scores_of(classifier, inputs, recipe) for recipe in RECIPES if recipe != 'seam']
    for i, first in enumerate(scores):
        assert all((first - second).abs().max() > 0.01 for second in scores[:i])


@pytest.mark.parametrize('recipe', RECIPES)
def test_image_without_evidence_has_no_score(recipe):
    inputs = -images(1).abs()
    scores = scores_of(None, inputs, recipe, cam=dict(type=Spy))
    assert not scores.any()


def test_each_view_of_the_thesis_counts_the_same_however_weak():
    class WeakAtScaleTwo(Spy):
        def __call__(self, classifier, inputs):
            logits, maps = super().__call__(classifier, inputs)
            return logits, maps * (1e-3 if inputs.shape[-1] == 2 * SIZE[1] else 1)

    plain, weak = (
        maps_of(None, images(), 'thesis', cam=dict(type=type_)) for type_ in (Spy, WeakAtScaleTwo)
    )
    torch.testing.assert_close(plain, weak)
    plain, weak = (
        maps_of(None, images(), 'irn', cam=dict(type=type_)) for type_ in (Spy, WeakAtScaleTwo)
    )
    assert (plain - weak).abs().max() > 0.1


# Properties


@pytest.mark.parametrize('recipe', RECIPES)
def test_mirror_images_change_nothing_for_a_network_that_sees_both_alike(recipe):
    classifier, inputs = equivariant(), images()
    torch.testing.assert_close(
        scores_of(classifier, inputs, recipe, flip=True),
        scores_of(classifier, inputs, recipe, flip=False),
        atol=1e-5,
        rtol=1e-4,
    )


@pytest.mark.parametrize('recipe', RECIPES)
def test_mirror_images_make_any_network_see_both_alike(recipe):
    classifier, inputs = one_sided(), images()
    there, back = (maps_of(classifier, x, recipe, flip=True) for x in (inputs, inputs.flip(-1)))
    torch.testing.assert_close(back.flip(-1), there, atol=1e-4, rtol=1e-4)
    there, back = (maps_of(classifier, x, recipe, flip=False) for x in (inputs, inputs.flip(-1)))
    assert (back.flip(-1) - there).abs().max() > 0.01


@pytest.mark.parametrize('recipe', SIGNED)
@torch.no_grad()
def test_single_view_is_the_map_of_the_inner_read_out(recipe):
    classifier, inputs = one_sided(), images()
    logits, maps = MODELS.build(dict(type='mmsmoke.LinearCAM'))(classifier, inputs)
    read_out = MultiScaleCAM(recipe, scales=(1,), flip=False)
    alone_logits, alone = read_out(classifier, inputs)
    expected = F.interpolate(maps[:, 0], SIZE, mode='bilinear', align_corners=False)
    assert torch.equal(alone[:, 0], expected) and torch.equal(alone_logits, logits)
    assert alone.min() < 0


def test_single_view_of_thesis_and_irn_and_afa_is_the_map_without_its_negative_part():
    classifier, inputs = one_sided(), images()
    with torch.no_grad():
        signed = classifier.head.class_maps(classifier.extract_feat(inputs))
    single = dict(scales=(1,), flip=False)
    for recipe, before, after in (
        ('thesis', lambda maps: min_max(maps.relu()), torch.Tensor.clone),
        ('irn', torch.relu, torch.Tensor.clone),
        ('afa', torch.Tensor.clone, torch.relu),
    ):
        maps = maps_of(classifier, inputs, recipe, **single)[:, 0]
        resized = F.interpolate(before(signed), SIZE, mode='bilinear', align_corners=False)
        torch.testing.assert_close(maps, after(resized))


@pytest.mark.parametrize('recipe', RECIPES)
def test_order_of_scales_does_not_matter(recipe):
    classifier, inputs = one_sided(), images()
    read_outs = [MultiScaleCAM(recipe, scales=s) for s in ((0.5, 1.5, 1, 2), (2, 1.5, 1, 0.5))]
    with torch.no_grad():
        (logits, maps), (other_logits, other_maps) = (r(classifier, inputs) for r in read_outs)
    torch.testing.assert_close(maps, other_maps)
    assert torch.equal(logits, other_logits)


@pytest.mark.parametrize('recipe', RECIPES)
@pytest.mark.parametrize('size', [(37, 53), (33, 71), (7, 90)])
def test_maps_have_the_size_of_the_image(recipe, size):
    assert maps_of(one_sided(), images(2, size), recipe).shape == (2, 1, 2, *size)


def test_each_layer_is_merged_by_itself():
    inputs = images()
    for recipe in RECIPES:
        both = maps_of(None, inputs, recipe, cam=dict(type=Spy, factors=(1.0, -3.0)))
        for layer, factor in enumerate((1.0, -3.0)):
            alone = maps_of(None, inputs, recipe, cam=dict(type=Spy, factors=(factor,)))
            torch.testing.assert_close(both[:, layer], alone[:, 0])


def test_maps_of_half_precision_are_summed_in_full():
    factors = (6e4,)  # two of these are beyond half precision
    maps = maps_of(
        None, torch.ones(1, 3, *SIZE), 'irn', cam=dict(type=Spy, factors=factors, dtype=torch.half)
    )
    assert maps.dtype == torch.float32
    torch.testing.assert_close(maps, torch.full_like(maps, 8 * 6e4), rtol=1e-3, atol=0)


# Views


def sizes_shown(size, **kwargs):
    read_out = MultiScaleCAM(cam=dict(type=Spy), **kwargs)
    read_out(None, images(2, size))
    return [tuple(view.shape[-2:]) for view in read_out.cam.shown]


def test_views_of_other_scales_have_sides_that_patches_fit():
    shown = sizes_shown((102, 75), scales=(0.5, 1, 1.5, 2))
    assert shown == [(48, 32), (102, 75), (160, 112), (208, 144)]


@pytest.mark.parametrize('scale', [0.5, 1, 1.5, 2])
def test_views_that_fit_are_not_rounded(scale):
    assert sizes_shown((224, 96), scales=(scale,)) == [(int(224 * scale), int(96 * scale))]


def test_views_of_cnns_need_no_rounding():
    assert sizes_shown((101, 75), scales=(1, 2), size_divisor=1) == [(101, 75), (202, 150)]


def test_view_has_at_least_one_patch():
    assert sizes_shown((8, 40), scales=(0.5,)) == [(16, 16)]


def test_each_view_is_one_batch_of_all_images():
    read_out = MultiScaleCAM('irn', cam=dict(type=Spy), scales=(1, 2))
    inputs = images(3)
    read_out(None, inputs)
    plain, mirrored, large, large_mirrored = read_out.cam.shown
    assert torch.equal(plain, inputs) and torch.equal(mirrored, inputs.flip(-1))
    assert large.shape == (3, 3, 64, 128) and torch.equal(large_mirrored, large.flip(-1))


@pytest.mark.parametrize(
    ('scales', 'nearest'), [((2, 0.5, 1), 1), ((0.5, 2), 0.5), ((1.5, 0.5), 0.5), ((2, 1.5), 1.5)]
)
@torch.no_grad()
def test_logits_are_those_of_the_view_nearest_to_scale_one(scales, nearest):
    classifier, inputs = one_sided(), images()
    view = F.interpolate(inputs, scale_factor=nearest, mode='bilinear', align_corners=False)
    expected = classifier.head(classifier.extract_feat(view))
    logits, _ = MultiScaleCAM('irn', scales=scales)(classifier, inputs)
    torch.testing.assert_close(logits, expected)


# As part of a classifier


VIT = dict(
    type='VisionTransformer',
    arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32),
    img_size=32,
    patch_size=16,
    out_type='featmap',
)


@pytest.mark.parametrize(
    ('recipe', 'normalize'),
    dict(thesis='none', irn='max', psa='max', seam='seam', afa='minmax', acr='minmax').items(),
)
def test_predictions_say_how_their_maps_are_normalised(recipe, normalize):
    model = MODELS.build(
        dict(
            type='mmsmoke.CAMClassifier',
            data_preprocessor=dict(mean=[127.0] * 3, std=[64.0] * 3, to_rgb=True),
            backbone=VIT,
            head=dict(type='mmsmoke.CAMHead', num_classes=2, in_channels=16),
            cam=dict(type='mmsmoke.MultiScaleCAM', recipe=recipe),
        )
    ).eval()
    with torch.no_grad():
        (sample,) = model.predict(images(1, (48, 70)))
    assert sample.cam_normalize == normalize
    assert sample.cams.shape == (2, 48, 70) and sample.cams.min() >= 0
    assert sample.pred_scores.shape == (2,)


# Mistakes


def test_unknown_recipe_is_named():
    with pytest.raises(ValueError, match=r"'acr', 'afa', 'irn'.*'toco'"):
        MultiScaleCAM('toco')


@pytest.mark.parametrize('scales', [(), (1, 0), (-1,)])
def test_scales_without_a_view_are_refused(scales):
    with pytest.raises(ValueError, match='positive numbers, got'):
        MultiScaleCAM(scales=scales)


def test_a_classifier_reads_whatever_it_reads_from_several_views(mmpretrain_scope):
    grad_cam = dict(type='mmsmoke.GradCAM', layers=[0])
    torch.manual_seed(0)
    model = dict(
        type='mmsmoke.CAMClassifier',
        backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
        head=dict(type='mmsmoke.CAMHead', num_classes=2, in_channels=64),
        cam=grad_cam,
        views=dict(recipe='irn', scales=(1, 2)),
    )
    classifier = MODELS.build(model).eval()
    image = torch.randn(1, 3, 64, 48)
    (sample,) = classifier.predict(image)
    by_hand = MultiScaleCAM('irn', grad_cam, scales=(1, 2))(classifier, image)[1]
    assert torch.equal(sample.cams, by_hand[0, 0].relu())
    assert sample.cam_normalize == classifier.cam_normalize == 'max'
