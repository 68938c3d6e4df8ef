import random
from collections import Counter

import pytest

from mmsmoke.datasets.splitting import deal_out, shuffled, split_groups

SHARES = dict(train=0.7, val=0.15, test=0.15)


@pytest.fixture
def images():
    """Groups of 1 to 12 images; some hold smoke alone, some none."""
    rng = random.Random(0)
    images = []
    for group in range(120):
        rate = rng.choice([0, 0.3, 0.6, 1])
        images += [(group, int(rng.random() < rate)) for _ in range(rng.randint(1, 12))]
    rng.shuffle(images)
    return images


def test_no_group_is_divided(images):
    splits = split_groups(*zip(*images, strict=True), SHARES)
    pairs = {(group, split) for (group, _), split in zip(images, splits, strict=True)}
    assert len(pairs) == 120


def test_shares_are_kept_for_images_with_and_without_smoke(images):
    splits = split_groups(*zip(*images, strict=True), SHARES)
    for label in (0, 1):
        count = Counter(s for (_, k), s in zip(images, splits, strict=True) if k == label)
        for split, share in SHARES.items():
            assert count[split] / count.total() == pytest.approx(share, abs=0.02)


def test_order_of_images_does_not_matter_and_the_seed_does(images):
    first = dict(zip(images, split_groups(*zip(*images, strict=True), SHARES), strict=True))
    turned = images[::-1]
    again = dict(zip(turned, split_groups(*zip(*turned, strict=True), SHARES), strict=True))
    other = dict(zip(images, split_groups(*zip(*images, strict=True), SHARES, 1), strict=True))
    assert first == again != other


def test_few_groups_go_to_the_splits_that_would_stay_empty():
    groups = ['a'] * 10 + ['b'] * 4 + ['c'] * 4
    splits = split_groups(groups, [0, 1] * 9, SHARES)
    assert len(set(splits)) == 3 and splits[0] == 'train'


def test_only_one_kind_of_image():
    splits = split_groups(range(20), [1] * 20, dict(train=1, test=1))
    assert Counter(splits) == dict(train=10, test=10)


def test_shuffled_order_is_known():
    assert sorted('abcdef', key=shuffled) == sorted('fedcba', key=shuffled)
    assert sorted('abcdef', key=shuffled) != sorted('abcdef', key=lambda n: shuffled(n, 3))


def test_what_is_tested_in_any_case_leaves_the_others_to_train_and_val(images):
    groups, labels = zip(*images, strict=True)
    assert deal_out(groups, labels, (0.7, 0.15, 0.15)) == split_groups(groups, labels, SHARES)
    tested = [group % 5 == 0 for group in groups]
    splits = deal_out(groups, labels, (0.7, 0.1, 0.2), tested=tested)
    assert [split == 'test' for split in splits] == tested
    assert splits.count('val') / tested.count(False) == pytest.approx(1 / 8, abs=0.02)
