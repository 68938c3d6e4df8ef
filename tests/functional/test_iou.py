import math

import numpy as np
import pytest
import torch

from mmsmoke.functional import (
    IGNORE,
    THRESHOLDS,
    class_threshold_counts,
    image_iou,
    image_mean_iou,
    iou_of,
    mask_counts,
    oracle_iou,
    pooled_iou,
    scores_to_mask,
    threshold_counts,
)


def random_truth(num_classes, shape, rng, ignore=0.1):
    truth = rng.integers(0, num_classes + 1, shape)
    truth[rng.random(shape) < ignore] = IGNORE
    return torch.from_numpy(truth)


def counts_by_hand(mask, truth, num_classes):
    """One pixel after another."""
    counts = np.zeros((num_classes + 1, 3), int)
    for p, t in zip(mask.flatten().tolist(), truth.flatten().tolist(), strict=True):
        if IGNORE in (p, t):
            continue
        for k in range(num_classes + 1):
            counts[k] += [p == t == k, p == k, t == k]
    return counts.tolist()


def one_image(mask, truth, num_classes=1):
    """Counts of the foreground."""
    return mask_counts(torch.tensor(mask), torch.tensor(truth), num_classes)[None, 1:]


# Counting


def test_thresholds_are_all_hundredths():
    assert len(THRESHOLDS) == 101
    assert [round(t, 2) for t in THRESHOLDS.tolist()] == [i / 100 for i in range(101)]


def scores_on_the_edges(num_classes, shape, rng):
    """Mostly values at a threshold, or the next float above or below it."""
    exact = np.array([i / 100 for i in range(101)], np.float32)
    edges = np.concatenate([exact, np.nextafter(exact, np.float32(2))])
    edges = np.concatenate([edges, np.nextafter(exact, np.float32(-1))]).clip(0, 1)
    scores = rng.choice(edges, (num_classes, *shape))
    anywhere = rng.random(scores.shape) < 0.2
    scores[anywhere] = rng.random(anywhere.sum())
    return torch.from_numpy(scores.astype(np.float32))


@pytest.mark.parametrize('num_classes', [1, 3])
def test_every_threshold_agrees_with_making_the_mask(num_classes):
    rng = np.random.default_rng(num_classes)
    scores = scores_on_the_edges(num_classes, (31, 43), rng)
    truth = random_truth(num_classes, (31, 43), rng)
    counts = threshold_counts(scores, truth)
    assert counts.shape == (num_classes + 1, 101, 3) and counts.dtype == torch.int64
    valid = truth != IGNORE
    for i in range(101):
        mask = scores_to_mask(scores, i / 100)
        for k in range(num_classes + 1):
            predicted, true = (mask == k) & valid, truth == k
            expected = [(predicted & true).sum(), predicted.sum(), true.sum()]
            assert counts[k, i].tolist() == [int(n) for n in expected], f'{k=} {i=}'


def test_each_edge_value_alone():
    values = torch.tensor([i / 100 for i in range(101)])
    for i, value in enumerate(values):
        predicted = threshold_counts(value.reshape(1, 1, 1), torch.ones(1, 1))[1, :, 1]
        assert predicted.tolist() == [1] * i + [0] * (101 - i)


def test_equal_scores_of_two_classes_are_counted_once():
    counts = threshold_counts(torch.full((2, 4, 4), 0.5), torch.ones(4, 4))
    assert counts[1:, 0, 1].sum() == 16


def test_counts_of_scores_without_valid_pixels_are_zero():
    assert not threshold_counts(torch.rand(2, 4, 4), torch.full((4, 4), IGNORE)).any()


def test_predicted_pixels_fall_as_the_threshold_rises():
    rng = np.random.default_rng(0)
    counts = threshold_counts(scores_on_the_edges(2, (20, 20), rng), random_truth(2, (20, 20), rng))
    assert (counts[1:, :, :2].diff(dim=1) <= 0).all()
    assert (counts[0, :, :2].diff(dim=0) >= 0).all()
    assert (counts[..., 2].diff(dim=1) == 0).all()


@pytest.mark.parametrize('num_classes', [1, 3])
def test_counts_of_masks_agree_with_counting_by_hand(num_classes):
    rng = np.random.default_rng(0)
    mask, truth = (random_truth(num_classes, (17, 23), rng) for _ in range(2))
    counts = mask_counts(mask.to(torch.uint8), truth, num_classes)
    assert counts.tolist() == counts_by_hand(mask, truth, num_classes)


def test_mask_with_the_same_threshold_counts_the_same():
    rng = np.random.default_rng(0)
    scores, truth = scores_on_the_edges(3, (20, 20), rng), random_truth(3, (20, 20), rng)
    expected = mask_counts(scores_to_mask(scores, 0.42), truth, 3)
    assert torch.equal(threshold_counts(scores, truth)[:, 42], expected)


def test_sums_over_many_pixels_do_not_round():
    counts = torch.full((3, 1, 3), 2**40 + 1)
    counts[:, :, 0] = 2**40
    assert pooled_iou(counts).item() == 2**40 / (2**40 + 2)


# Intersection over union


def test_perfect_and_disjoint_masks():
    truth = [[0, 1], [1, 0]]
    assert image_mean_iou(one_image(truth, truth)).tolist() == [1]
    assert pooled_iou(one_image(truth, truth)).tolist() == [1]
    other = one_image([[1, 0], [0, 1]], truth)
    assert image_mean_iou(other).tolist() == pooled_iou(other).tolist() == [0]


@pytest.mark.parametrize('mean', [image_mean_iou, pooled_iou])
def test_empty_prediction_scores_nothing(mean):
    truth = [[1] + [0] * 9]
    assert mean(one_image([[0] * 10], truth)).tolist() == [0]


@pytest.mark.parametrize('mean', [image_mean_iou, pooled_iou])
def test_full_prediction_scores_the_share_of_smoke(mean):
    truth = [[1] * 3 + [0] * 7]
    torch.testing.assert_close(mean(one_image([[1] * 10], truth)), torch.tensor([0.3]).double())


def test_mean_over_images_and_pooling_differ_by_the_weight_of_large_images():
    small = one_image([[1, 0, 0, 0]], [[1, 0, 0, 0]])  # 1 of 1
    large = one_image([[0] * 9 + [1]], [[1] * 9 + [1]])  # 1 of 10
    counts = torch.cat([small, large])
    torch.testing.assert_close(image_mean_iou(counts).item(), (1 + 0.1) / 2)
    torch.testing.assert_close(pooled_iou(counts).item(), 2 / 11)


def test_both_agree_when_all_images_have_equal_unions():
    rng = np.random.default_rng(0)
    images = []
    for hit in rng.integers(0, 13, 20):
        only_predicted = rng.integers(0, 13 - hit)
        images.append([[hit, hit + only_predicted, 12 - only_predicted]])
    counts = torch.tensor(np.array(images))
    assert ((counts[..., 1] + counts[..., 2] - counts[..., 0]) == 12).all()
    torch.testing.assert_close(image_mean_iou(counts), pooled_iou(counts))


def test_f1_follows_from_pooled_iou():
    rng = np.random.default_rng(0)
    masks, truths = rng.integers(0, 2, (2, 5, 9, 9))
    counts = torch.cat([one_image(m, t) for m, t in zip(masks, truths, strict=True)])
    precision = masks[truths == 1].sum() / masks.sum()
    recall = masks[truths == 1].sum() / truths.sum()
    f1 = 2 * precision * recall / (precision + recall)
    iou = pooled_iou(counts).item()
    assert f1 == pytest.approx(2 * iou / (1 + iou))


def test_ignored_pixels_change_nothing():
    mask, truth = [[1, 1, 0, 0]], [[1, 0, 1, 0]]
    plain = one_image(mask, truth)
    ignored = one_image([[*mask[0], 1, 0]], [[*truth[0], IGNORE, IGNORE]])
    assert torch.equal(plain, ignored)


def test_order_of_images_does_not_matter():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 50, (12, 2, 101, 3))
    counts[..., 1:] += counts[..., :1]
    counts = torch.tensor(counts)
    shuffled = counts[torch.randperm(12, generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(image_mean_iou(counts), image_mean_iou(shuffled))
    torch.testing.assert_close(pooled_iou(counts), pooled_iou(shuffled))


def test_image_without_truth_is_left_out_of_the_mean_but_not_of_the_pool():
    positive = one_image([[1, 1, 0, 0]], [[1, 1, 0, 0]])
    false_alarm = one_image([[1, 1, 0, 0]], [[0, 0, 0, 0]])
    counts = torch.cat([positive, false_alarm])
    assert image_mean_iou(counts).tolist() == [1]
    assert pooled_iou(counts).tolist() == [0.5]


def test_no_truth_at_all_is_nan_not_zero():
    empty = one_image([[0, 0]], [[0, 0]])
    assert math.isnan(image_mean_iou(empty).item())
    assert math.isnan(pooled_iou(empty).item())
    false_alarm = one_image([[1, 0]], [[0, 0]])
    assert math.isnan(image_mean_iou(false_alarm).item())
    assert pooled_iou(false_alarm).item() == 0


def test_classes_are_averaged_each_over_its_own_images():
    first = one_image([[1, 1, 0]], [[1, 1, 0]], num_classes=2)
    second = one_image([[2, 0, 0]], [[2, 2, 0]], num_classes=2)
    iou = image_mean_iou(torch.cat([first, second]))
    assert iou.tolist() == [1, 0.5]


# The best threshold of each image


def counts_of_images(count, num_classes=1):
    """Scores that follow the truth, brighter in some images than in others."""
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(count):
        truth = random_truth(num_classes, (15, 16), rng)
        scores = torch.stack([(truth == k + 1).float() for k in range(num_classes)])
        noise = torch.from_numpy(rng.random(scores.shape).astype(np.float32))
        scores = rng.uniform(0.2, 0.9) * (0.4 * scores + 0.6 * noise)
        counts.append(threshold_counts(scores, truth)[1:])
    return torch.stack(counts)


@pytest.mark.parametrize('num_classes', [1, 3])
def test_oracle_is_above_one_threshold_for_all_which_is_above_a_fixed_one(num_classes):
    counts = counts_of_images(12, num_classes)
    each = image_mean_iou(counts)
    assert (oracle_iou(counts) > each.amax(-1)).all()
    assert (each.amax(-1) > each[:, 30]).all()


def test_oracle_agrees_with_trying_every_threshold_on_every_image():
    counts = counts_of_images(5, 2)
    for k in range(2):
        best = []
        for image in counts[:, k].tolist():
            ious = [hit / (predicted + true - hit) for hit, predicted, true in image]
            best.append(max(ious))
        assert oracle_iou(counts)[k].item() == pytest.approx(sum(best) / 5)


def test_oracle_of_one_image_is_its_best_threshold():
    counts = counts_of_images(1)
    torch.testing.assert_close(oracle_iou(counts), image_mean_iou(counts).amax(-1))


def test_oracle_of_scores_that_rank_the_mask_is_one():
    truth = random_truth(1, (9, 9), np.random.default_rng(0))
    smoke = (truth == 1).float()
    scores = [0.1 + 0.2 * smoke, 0.6 + 0.3 * smoke, (1 + smoke).log(), smoke**2]
    counts = torch.stack([threshold_counts(s[None], truth)[1:] for s in scores])
    assert oracle_iou(counts).tolist() == [1]
    assert image_mean_iou(counts).amax() < 1


def test_lowest_of_equally_good_thresholds_comes_first():
    truth = torch.tensor([[0, 1]])
    counts = threshold_counts(torch.tensor([[[0.2, 0.9]]]), truth)[None, 1:]
    assert image_mean_iou(counts)[0].argmax() == 20


def test_rule_for_images_without_truth():
    truth = [[0, 0, 0, 0]]
    right, alarm = one_image([[0, 0, 0, 0]], truth), one_image([[1, 0, 0, 0]], truth)
    half = one_image([[1, 0, 0, 0]], [[1, 1, 0, 0]])
    counts = torch.cat([right, alarm, half])
    assert image_iou(counts)[:, 0].isnan().tolist() == [True, True, False]
    assert image_iou(counts, 'zero')[:, 0].tolist() == [0, 0, 0.5]
    assert image_iou(counts, 'one_if_empty')[:, 0].tolist() == [1, 0, 0.5]
    with pytest.raises(ValueError, match="got 'one'"):
        image_iou(counts, 'one')


def test_empty_prediction_has_the_background_right():
    """Smoke fills a tenth: mmseg's mIoU of an empty mask is 0.45."""
    counts = mask_counts(torch.zeros(1, 10), torch.tensor([[1] + [0] * 9]), 1)
    torch.testing.assert_close(iou_of(counts).mean().item(), 0.45)


def test_oracle_leaves_images_without_truth_out():
    counts = counts_of_images(4)
    empty = threshold_counts(torch.rand(1, 8, 8), torch.zeros(8, 8))[None, 1:]
    assert torch.equal(oracle_iou(torch.cat([counts, empty])), oracle_iou(counts))
    assert math.isnan(oracle_iou(empty).item())


def test_counts_of_each_class_by_itself_are_those_of_a_single_class():
    rng = np.random.default_rng(3)
    truth = random_truth(3, (12, 10), rng)
    truth[truth == 2] = 0  # a class that is not there
    scores = torch.from_numpy(rng.random((3, 12, 10)).astype(np.float32))
    counts = class_threshold_counts(scores, truth)
    assert counts.shape == (3, 101, 3) and not counts[1].any()
    for k in (0, 2):
        for index in (0, 17, 50, 100):
            mask = torch.where(scores[k] > THRESHOLDS[index], k + 1, 0)
            by_hand = counts_by_hand(mask, truth, 3)[k + 1]
            assert counts[k, index].tolist() == by_hand
    alone = torch.where((truth == 1) | (truth == IGNORE), truth, 0)
    one = class_threshold_counts(scores[:1], alone)
    assert one.equal(threshold_counts(scores[:1], alone)[1:])
