import itertools

import numpy as np
import pytest

from mmsmoke.functional.proposals import (
    MaskProposals,
    decode_mask,
    encode_mask,
    sam_wsss_rule,
    thesis_rule,
)

RULES = [thesis_rule, sam_wsss_rule]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def boxes(rng, count, size=(13, 17)) -> np.ndarray:
    """Random boxes, bool [count, H, W]: they overlap each other in all degrees."""
    masks = np.zeros((count, *size), bool)
    for mask in masks:
        (top, bottom), (left, right) = (np.sort(rng.integers(0, n + 1, 2)) for n in size)
        mask[top:bottom, left:right] = True
    return masks


def row(*on, length=40) -> np.ndarray:
    """A mask [1, length] of the pixels in these ranges."""
    mask = np.zeros((1, length), bool)
    for start, stop in on:
        mask[0, start:stop] = True
    return mask


def naive_thesis(masks, seed, min_iou, max_area, min_purity, keep_seed):
    kept = []
    for mask in masks:
        both, either, area = (mask & seed).sum(), (mask | seed).sum(), mask.sum()
        if area == 0 or area > max_area * mask.size or both / area < min_purity:
            continue
        if both / either > min_iou:
            kept.append(mask)
    union = np.any(kept, axis=0) if kept else seed
    return union | seed if keep_seed else union


def naive_sam_wsss(masks, regions, max_area, min_purity):
    claimed, results = set(), []
    for region in regions:
        result, covered = np.zeros_like(region), np.zeros_like(region)
        for index, mask in enumerate(masks):
            both, area, whole = (mask & region).sum(), mask.sum(), region.sum()
            if area == 0 or area > max_area * mask.size:
                continue
            if both / area > 0.5 or (whole and both / whole >= 0.85):
                if both / area < min_purity:
                    continue
                if index not in claimed:
                    claimed.add(index)
                    result |= mask
            covered |= mask
        results.append(result | (region & ~covered))
    return np.stack(results)


@pytest.mark.parametrize(
    'mask, lengths',
    [
        (np.zeros((2, 3), bool), [6]),
        (np.ones((2, 3), bool), [0, 6]),
        (np.array([[False, True, False], [False, False, False]]), [2, 1, 3]),
        (np.array([[True, False], [False, False], [False, True]]), [0, 1, 4, 1]),
        (np.ones((1, 1), bool), [0, 1]),
        (np.zeros((1, 1), bool), [1]),
    ],
)
def test_run_lengths_go_down_the_columns(mask, lengths):
    assert encode_mask(mask) == lengths
    assert (decode_mask(lengths, mask.shape) == mask).all()


def test_masks_survive_encoding(rng):
    masks = rng.random((6, 11, 7)) > np.linspace(0, 1, 6)[:, None, None]
    proposals = MaskProposals.from_masks(masks)
    assert len(proposals) == 6 and proposals.size == (11, 7)
    assert (proposals.masks() == masks).all()
    again = MaskProposals((11, 7), proposals.counts)
    assert (again.masks() == masks).all()


@pytest.mark.parametrize('counts', [[5], [7], [], [3, -1, 4], [0, 2, 5]])
def test_run_lengths_that_do_not_fit_the_image_are_refused(counts):
    with pytest.raises(ValueError, match=r'mask 1 do not fit 2 x 3'):
        MaskProposals((2, 3), [[6], counts])


def test_a_region_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r'region \[3, 2\] and masks \[2, 3\] do not fit'):
        MaskProposals((2, 3), [[6]]).overlaps(np.ones((3, 2), bool))


def test_areas_overlaps_and_unions_are_those_of_the_masks(rng):
    masks = np.concatenate([rng.random((9, 8, 5)) > 0.6, boxes(rng, 9, (8, 5))])
    masks[3] = False
    proposals = MaskProposals.from_masks(masks)
    region, keep = rng.random((8, 5)) > 0.5, rng.random(18) > 0.7
    assert (proposals.areas() == masks.sum((1, 2))).all()
    assert (proposals.overlaps(region) == (masks & region).sum((1, 2))).all()
    assert (proposals.union(keep) == masks[keep].any(0)).all()
    assert not proposals.union(np.zeros(18, bool)).any()


@pytest.mark.parametrize('keep_seed', [True, False])
@pytest.mark.parametrize('min_iou, max_area, min_purity', [(0.4, 0.5, 0), (0.1, 0.3, 0.6)])
def test_thesis_rule_equals_a_naive_loop(rng, min_iou, max_area, min_purity, keep_seed):
    options = dict(min_iou=min_iou, max_area=max_area, min_purity=min_purity, keep_seed=keep_seed)
    changed = 0
    for _ in range(60):
        masks, seeds = boxes(rng, 12), boxes(rng, 2)
        found = thesis_rule(MaskProposals.from_masks(masks), seeds, **options)
        expected = np.stack([naive_thesis(masks, seed, **options) for seed in seeds])
        assert found.dtype == bool and (found == expected).all()
        changed += (found != seeds).any()
    assert changed > 10


@pytest.mark.parametrize('max_area, min_purity', [(1, 0), (0.4, 0.3), (0.4, 0.6)])
def test_sam_wsss_rule_equals_a_naive_loop(rng, max_area, min_purity):
    options = dict(max_area=max_area, min_purity=min_purity)
    changed = 0
    for _ in range(60):
        masks, regions = boxes(rng, 12), boxes(rng, 3)
        found = sam_wsss_rule(MaskProposals.from_masks(masks), regions, **options)
        assert found.dtype == bool and (found == naive_sam_wsss(masks, regions, **options)).all()
        changed += (found != regions).any()
    assert changed > 30


@pytest.mark.parametrize('rule', RULES)
def test_without_proposals_the_regions_stay(rng, rule):
    regions = boxes(rng, 3)
    assert (rule(MaskProposals(regions.shape[1:], []), regions) == regions).all()


@pytest.mark.parametrize('rule', RULES)
def test_proposals_that_equal_the_regions_change_nothing(rng, rule):
    regions = np.stack([row((3, 9)), row((12, 20)), row()])
    assert (rule(MaskProposals.from_masks(regions), regions) == regions).all()


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('options', [{}, dict(max_area=0.6, min_purity=0.4)])
def test_the_order_of_proposals_is_irrelevant_for_one_class(rng, rule, options):
    changed = 0
    for _ in range(40):
        masks, region = boxes(rng, 5), boxes(rng, 1)
        orders = list(itertools.permutations(masks))[::29]
        first, *others = (rule(MaskProposals.from_masks(o), region, **options) for o in orders)
        assert all((other == first).all() for other in others)
        changed += (first != region).any()
    assert changed > 0


def test_a_proposal_of_more_than_half_the_image_is_ignored():
    seed = row((0, 20))[None]
    # the very half is allowed, one pixel more is not
    half, more = (MaskProposals.from_masks([row((4, 4 + n))]) for n in (20, 21))
    assert thesis_rule(half, seed).sum() == 24
    assert thesis_rule(more, seed).sum() == 20
    assert thesis_rule(more, seed, max_area=0.6).sum() == 25


def test_thesis_rule_accepts_strictly_above_the_iou():
    seed = row((0, 6))[None]
    # IoU 4 / 10 and 5 / 10
    for start, accepted in ((2, False), (1, True)):
        proposal = MaskProposals.from_masks([row((start, 6), (10, 14))])
        assert (thesis_rule(proposal, seed) != seed).any() == accepted
    at_limit = MaskProposals.from_masks([row((2, 6), (10, 14))])
    assert (thesis_rule(at_limit, seed, min_iou=0.399) != seed).any()


def test_sam_wsss_rule_accepts_strictly_above_half_of_the_proposal():
    region = row((0, 20))[None]
    half = MaskProposals.from_masks([row((16, 24))])
    more = MaskProposals.from_masks([row((15, 24))])
    assert (sam_wsss_rule(half, region)[0] == row((0, 16))).all()  # and it is covered
    assert (sam_wsss_rule(more, region)[0] == row((0, 24))).all()


def test_sam_wsss_rule_accepts_from_85_percent_of_the_region():
    region = row((0, 20), length=80)[None]
    enough = MaskProposals.from_masks([row((3, 60), length=80)])  # 17 of 20
    less = MaskProposals.from_masks([row((4, 60), length=80)])
    assert (sam_wsss_rule(enough, region)[0] == row((0, 60), length=80)).all()
    assert (sam_wsss_rule(less, region)[0] == row((0, 4), length=80)).all()


def test_a_proposal_goes_to_the_first_class_that_claims_it():
    shared = row((0, 10))
    first, second = row((0, 9)), row((4, 10), (20, 22))
    found = sam_wsss_rule(MaskProposals.from_masks([shared]), np.stack([first, second]))
    assert (found == [shared, row((20, 22))]).all()
    # two classes of the thesis' rule know nothing of each other
    found = thesis_rule(MaskProposals.from_masks([shared]), np.stack([first, second]))
    assert (found == [shared, row((0, 10), (20, 22))]).all()


def test_the_seed_is_contained_in_the_result_only_if_it_is_kept(rng):
    missing = 0
    for _ in range(30):
        proposals, seed = MaskProposals.from_masks(boxes(rng, 40)), boxes(rng, 1)
        kept, redrawn = (thesis_rule(proposals, seed, keep_seed=keep) for keep in (True, False))
        assert (kept >= seed).all()
        assert (kept == (redrawn | seed)).all()
        missing += (redrawn < seed).any()
    assert missing > 3


@pytest.mark.parametrize('rule', RULES)
def test_a_sky_cannot_swallow_a_plume_under_a_cap_or_a_floor(rule):
    plume, sky = row((10, 30), length=100)[None], row((10, 50), length=100)
    proposals = MaskProposals.from_masks([sky])  # half of it is plume, all the plume is in it
    assert (rule(proposals, plume, max_area=1)[0] == sky).all()
    assert (rule(proposals, plume, max_area=0.39) == plume).all()
    assert (rule(proposals, plume, min_purity=0.5)[0] == sky).all()
    assert (rule(proposals, plume, min_purity=0.51) == plume).all()


@pytest.mark.parametrize('rule', RULES)
def test_one_pixel(rule):
    on, off = np.ones((1, 1, 1), bool), np.zeros((1, 1, 1), bool)
    for proposal, region in itertools.product((on, off), repeat=2):
        assert (rule(MaskProposals.from_masks(proposal), region) == region).all()


def test_hundreds_of_large_proposals_need_little_memory():
    import tracemalloc

    size = (1080, 1920)
    counts = [[1080 * i, 540 * 1000, 1080 * 1920 - 1080 * i - 540 * 1000] for i in range(300)]
    region = np.zeros((1, *size), bool)
    region[0, :, :600] = True
    tracemalloc.start()
    for rule in RULES:
        rule(MaskProposals(size, counts), region)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20  # as bool masks alone 600 MB
