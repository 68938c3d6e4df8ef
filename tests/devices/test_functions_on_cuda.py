"""Every function of the ground floor that takes tensors, on a GPU that is not there."""

import numpy as np
import pytest
import torch
from fake_cuda import PRECISIONS, devices_of, fake_cuda, on_cpu, on_cuda

from mmsmoke import functional as F
from mmsmoke.functional import (
    affinity,
    cam,
    false_positives,
    iou,
    kmeans,
    last_layer,
    otsu,
    transfer,
)

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')

DICE = torch.Generator().manual_seed(0)
OFFSETS = F.pair_offsets(2)


def rand(*shape):
    return torch.rand(shape, generator=DICE)


def whole(high, *shape):
    return torch.randint(high, shape, generator=DICE)


MAPS, OTHERS = rand(2, 3, 6, 6), rand(2, 3, 4, 4)
SCORES, VIEWS, LAYERS = rand(2, 8, 8), rand(2, 2, 3, 4, 4), rand(3, 2, 4, 4)
PRESENT = torch.tensor([True, False])
LABELS, TRUTH = whole(3, 2, 6, 6), whole(3, 8, 8)
TRUTH[0] = F.IGNORE
REGION = TRUTH == 1
HAVE = torch.tensor([[True, False, True], [False, False, False]])
PAIRS = rand(2, len(OFFSETS), 6, 6)
ATTENTION = rand(16, 16)
HEADS = rand(2, 2, 2, 17, 17)  # of 2 classes, 2 images and 2 heads
GRADIENTS = rand(2, *LAYERS.shape) - 0.5
COUNTS = whole(9, 5, 2, 101, 3).cumsum(-1)
EFFECTS = rand(4, 5)
IMAGE = whole(256, 8, 8, 3).byte()
PROBS = torch.stack([SCORES[0], 1 - SCORES[0]])
POINTS, CENTRES, FOUND = rand(20, 3), rand(2, 3, 4, 3), whole(4, 3, 2) + 1
TAGS = whole(3, 20) - 1
SURE, OTHER, YES = rand(12, 2), rand(12, 2), whole(2, 12, 2).float()

# NAME or NAME-VARIANT: what is called, given a function that brings a tensor to the device
CASES = {
    'shifted': lambda on: affinity.shifted(on(MAPS), (1, -1)),
    'affinity_labels': lambda on: F.affinity_labels(on(LABELS), OFFSETS),
    'feature_affinity': lambda on: F.feature_affinity(on(MAPS), OFFSETS),
    'boundary_affinity': lambda on: F.boundary_affinity(on(MAPS[:, 0]), OFFSETS),
    'affinity_losses': lambda on: F.affinity_losses(
        on(PAIRS), affinity.PairLabels(*map(on, F.affinity_labels(LABELS, OFFSETS)))
    ),
    'random_walk': lambda on: F.random_walk(on(MAPS), on(PAIRS), 2, 2, 2),
    'confident_labels': lambda on: F.confident_labels(on(SCORES), on(SCORES.flip(0))),
    'agreed_labels': lambda on: F.agreed_labels(on(TRUTH), on(TRUTH.flip(0))),
    'sinkhorn': lambda on: F.sinkhorn(on(ATTENTION)),
    'attention_affinity': lambda on: F.attention_affinity(on(ATTENTION)),
    'attention_rollout': lambda on: F.attention_rollout(on(HEADS[0])),
    'taken_from_patches-cls': lambda on: F.taken_from_patches(on(HEADS), 16, by_cls=True),
    'taken_from_patches-mean': lambda on: F.taken_from_patches(on(HEADS), 16, by_cls=False),
    'unmirrored': lambda on: F.unmirrored(on(HEADS), (4, 4)),
    'attention_distance': lambda on: F.attention_distance(on(HEADS), on(HEADS[:1]), 16, True),
    'class_attention': lambda on: F.class_attention([on(HEADS - 0.5), on(HEADS)], 16, True),
    'merge_tiles': lambda on: F.merge_tiles(
        [on(SCORES)[:, :5, :5], on(SCORES)[:, :5, 3:]], (5, 8), 5, 2
    ),
    'gradient_cam': lambda on: F.gradient_cam(on(LAYERS), on(GRADIENTS)),
    'gradient_cam_plus_plus': lambda on: F.gradient_cam_plus_plus(on(LAYERS), on(GRADIENTS)),
    'weigh_channels': lambda on: F.weigh_channels(on(GRADIENTS[..., 0, 0]), on(LAYERS)),
    'layer_cam': lambda on: F.layer_cam(on(LAYERS), on(GRADIENTS)),
    'balanced_cross_entropy': lambda on: F.balanced_cross_entropy(
        on(MAPS), on(LABELS), on(PAIRS[:, 0])
    ),
    'balanced_map_loss': lambda on: F.balanced_map_loss(on(MAPS), on(LABELS)),
    'box_mask': lambda on: F.box_mask(on(SCORES)),
    'propagate': lambda on: F.propagate(on(LAYERS[0]), on(ATTENTION), on(LAYERS[0] > 0.5)),
    'propagate-batch': lambda on: F.propagate(on(LAYERS), on(ATTENTION.expand(3, -1, -1))),
    **{
        f'normalize_cams-{mode}': lambda on, mode=mode: F.normalize_cams(on(MAPS), mode)
        for mode in ('minmax', 'max', 'seam', 'none')
    },
    **{
        f'fuse_cams-{mode}': lambda on, mode=mode: F.fuse_cams(on(LAYERS), mode, [1, 2, 3])
        for mode in F.FUSIONS
    },
    **{
        f'merge_views-{mode}': lambda on, mode=mode: F.merge_views(on(VIEWS), mode)
        for mode in cam.MERGES
    },
    'cams_to_scores': lambda on: F.cams_to_scores(on(SCORES), (9, 9), on(PRESENT)),
    'cams_to_scores-half': lambda on: F.cams_to_scores(on(SCORES.half()), (9, 9)),
    'logits_to_scores': lambda on: F.logits_to_scores(on(LAYERS[:, 0]), on(PRESENT)),
    'resize_maps': lambda on: F.resize_maps(on(MAPS), (5, 7)),
    'scores_to_mask': lambda on: F.scores_to_mask(on(SCORES), 0.5, 0.3),
    'scores_to_mask-classes': lambda on: F.scores_to_mask(on(SCORES), [0.5, 0.6], [0.3, 0.2]),
    'strongest': lambda on: F.strongest(on(SCORES)),
    'background_scores': lambda on: F.background_scores(on(SCORES), level=0.6),
    'label_scores-power': lambda on: F.label_scores(on(SCORES), power=4),
    'label_scores-remainder': lambda on: F.label_scores(on(SCORES / 2), remainder=True),
    'label_scores-constant': lambda on: F.label_scores(on(SCORES), constant=0.3),
    'confusion_matrix': lambda on: F.confusion_matrix(on(TRUTH.T.byte()), on(TRUTH), 2),
    'confusion_ratios': lambda on: F.confusion_ratios(on(COUNTS[:3, 0, :3, 0])),
    'confusion_counts': lambda on: F.confusion_counts(on(TRUTH.T), on(TRUTH), on(REGION), 2),
    'energy_share': lambda on: F.energy_share(on(SCORES), on(REGION)),
    'points_at': lambda on: F.points_at(on(SCORES), on(REGION)),
    'two_causes': lambda on: F.two_causes(*on(EFFECTS)),
    'dense_crf-torch': lambda on: F.dense_crf(on(IMAGE), on(PROBS), backend='torch'),
    'dense_crf-half': lambda on: F.dense_crf(on(IMAGE), on(PROBS), backend='torch', half=True),
    'dense_crf-image_of_the_cpu': lambda on: F.dense_crf(IMAGE, on(PROBS), backend='torch'),
    'pixel_weights': lambda on: F.pixel_weights(on(IMAGE.permute(2, 0, 1)[None]), (1, 2)),
    'pixel_adaptive': lambda on: F.pixel_adaptive(
        on(IMAGE.permute(2, 0, 1)[None]), on(SCORES[None]), 2
    ),
    'passed': lambda on: iou.passed(on(SCORES.flatten())),
    'true_probability': lambda on: last_layer.true_probability(on(SURE), on(YES)),
    'balanced': lambda on: last_layer.balanced(on(SURE), on(YES)),
    'afr_weights': lambda on: last_layer.afr_weights(on(SURE), on(YES), 4),
    'self_weights': lambda on: last_layer.self_weights(on(SURE), on(OTHER), on(YES), 3),
    'lfr_weights': lambda on: last_layer.lfr_weights(on(SURE), on(YES)),
    'group_weights': lambda on: last_layer.group_weights(on(YES), on(OTHER[:, 0] > 0.5)),
    'class_threshold_counts': lambda on: F.class_threshold_counts(on(SCORES), on(TRUTH)),
    'threshold_counts': lambda on: F.threshold_counts(on(SCORES), on(TRUTH)),
    'mask_counts': lambda on: F.mask_counts(on(TRUTH.T), on(TRUTH), 2),
    'pooled_iou': lambda on: F.pooled_iou(on(COUNTS)),
    'iou_of': lambda on: F.iou_of(on(COUNTS)),
    **{
        f'image_iou-{empty}': lambda on, empty=empty: F.image_iou(on(COUNTS), empty)
        for empty in F.EMPTY_TRUTH
    },
    'image_mean_iou': lambda on: F.image_mean_iou(on(COUNTS)),
    'oracle_iou': lambda on: F.oracle_iou(on(COUNTS)),
    'score_histogram': lambda on: otsu.score_histogram(on(SCORES)),
    **{
        f'transfer_distance-{level}-{metric}': lambda on, level=level, metric=metric: (
            F.transfer_distance(on(MAPS), on(OTHERS), level, metric)
        )
        for level in transfer.LEVELS
        for metric in transfer.METRICS
        if metric != 'kl' or level == 'global'
    },
    'kmeans': lambda on: kmeans.kmeans(on(POINTS), 4, torch.Generator().manual_seed(0)),
    'spread_start': lambda on: kmeans.spread_start(on(POINTS), 4, torch.Generator().manual_seed(0)),
    'lloyd': lambda on: kmeans.lloyd(on(POINTS), on(POINTS[:4])),
    'regions_of': lambda on: F.regions_of(on(MAPS)),
    'region_means': lambda on: F.region_means(on(OTHERS), on(OTHERS > 0.5)),
    'nearest_centre': lambda on: false_positives.nearest_centre(
        on(POINTS), on(CENTRES[0]), on(FOUND[:, 0])
    ),
    'false_positive_losses': lambda on: F.false_positive_losses(
        on(OTHERS), on(OTHERS), on(OTHERS[:, :, 0, 0] > 0.3), *map(on, CENTRES), on(FOUND)
    ),
    'supervised_contrast': lambda on: F.supervised_contrast(
        on(POINTS), on(CENTRES[0, 0]), on(TAGS), on(TAGS[:4]), 0.5
    ),
    **{
        f'pool_clips-{pool}': lambda on, pool=pool: F.pool_clips(on(SURE), on(TAGS[:12] + 1), pool)
        for pool in (*F.CLIP_POOLS, 0.4)
    },
    'color_disagreement': lambda on: F.color_disagreement(on(POINTS), on(POINTS), on(TAGS)),
    'unchanged': lambda on: F.unchanged(on(LAYERS)),
    'share_of_mass': lambda on: F.share_of_mass(on(LAYERS), on(LAYERS[:, 0])),
    'warp': lambda on: F.warp(on(OTHERS[0]), on(MAPS[0, :2, :4, :4] * 3)),
    'seen_in_both': lambda on: F.seen_in_both(on(MAPS[0, :2]), on(-MAPS[0, :2])),
    'flow_difference': lambda on: F.flow_difference(
        on(OTHERS[0]), on(OTHERS[1]), on(MAPS[0, :2, :4, :4]), on(PAIRS[0, 0, :4, :4])
    ),
    'correlated_maps': lambda on: F.correlated_maps(on(OTHERS), on(ATTENTION.expand(2, -1, -1))),
    'equivariance_loss': lambda on: F.equivariance_loss(on(MAPS), on(MAPS.flip(3)), on(HAVE)),
    'cross_equivariance_loss': lambda on: F.cross_equivariance_loss(
        on(MAPS), on(MAPS[:, 1:]), on(HAVE[:, 1:])
    ),
    'min_pooling_loss': lambda on: F.min_pooling_loss(on(MAPS), on(HAVE)),
    'mutual_information': lambda on: F.mutual_information(on(LAYERS)),
    'divergence': lambda on: F.divergence(on(LAYERS), 0.3),
    'pixel_entropy': lambda on: F.pixel_entropy(on(SCORES / 2)),
    'label_entropy': lambda on: F.label_entropy(on(SURE)),
    'mask_disagreement': lambda on: F.mask_disagreement(on(TRUTH), on(TRUTH.T)),
    'match_grids': lambda on: transfer.match_grids(on(MAPS), on(OTHERS)),
}
# what gives numbers of Python
NUMBERS = {
    'worst_class_accuracy': lambda on: last_layer.worst_class_accuracy(on(SURE), on(YES)),
    'otsu_threshold': lambda on: otsu.otsu_threshold(on(otsu.score_histogram(SCORES))),
    'choose_spread': lambda on: F.choose_spread(on(POINTS), on(POINTS[:, 0]), 5),
    'bootstrap_interval': lambda on: F.bootstrap_interval(on(EFFECTS), 'abcd', lambda s: s.sum(-1)),
}


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('name', CASES)
def test_it_stays_on_the_gpu_and_computes_what_a_cpu_does(name, precision):
    expected = CASES[name](on_cpu)
    with fake_cuda(precision):
        found = CASES[name](on_cuda)
        assert devices_of(found) == {'cuda'}
        torch.testing.assert_close(on_cpu(found), expected, equal_nan=True)


@pytest.mark.parametrize('name', NUMBERS)
def test_a_number_is_that_of_a_cpu(name):
    expected = NUMBERS[name](on_cpu)
    with fake_cuda():
        assert NUMBERS[name](on_cuda) == expected


@pytest.mark.parametrize('half', [False, True])
def test_a_crf_in_c_takes_what_lies_on_the_gpu_and_gives_it_back(half):
    pytest.importorskip('pydensecrf')
    expected = F.dense_crf(IMAGE, PROBS, half=half)
    with fake_cuda():
        found = F.dense_crf(IMAGE.numpy(), on_cuda(PROBS), half=half)
        assert devices_of(found) == {'cuda'}
        torch.testing.assert_close(found.cpu(), expected)
        of_arrays = F.dense_crf(IMAGE.numpy(), PROBS.numpy(), half=half)
    np.testing.assert_allclose(of_arrays, expected)
