"""A training set that may see a few true masks: which, beside what, and what is refused."""

import csv
import logging
from collections import Counter

import numpy as np
import pytest
from conftest import save_palette
from mmengine.logging import MMLogger
from test_weak_seg import edit, infos, names

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.few_masks import in_order_of_lot
from mmsmoke.datasets.table import Row
from mmsmoke.datasets.weighted_sampler import WeightedSampler
from mmsmoke.utils import DataError

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


@pytest.fixture
def root(tiny_dataset):
    """24 training images, every other one with smoke, in groups of 4 and 2 by turns."""
    folder = tiny_dataset(splits=dict(train=24, val=4))
    groups = [f'day {i // 6}{"a" if i % 6 < 4 else "b"}' for i in range(28)]
    return edit(
        folder, lambda rows: [[*rows[0], 'group']] + [
            [*row, group] for row, group in zip(rows[1:], groups, strict=True)
        ],
    )  # fmt: skip


@pytest.fixture
def pseudo(root, tmp_path):
    """Pseudo masks of all training images, which are smoke all over where there is any."""
    folder = tmp_path / 'pseudo'
    for i in range(24):
        save_palette(folder / f'train_{i}.png', np.full((36, 48), 1 - i % 2, np.uint8))
    return folder


def few(root, number, **settings):
    return WeakSegDataset(str(root), num_masks=number, **settings)


def seen(dataset):
    return [info['image'] for info in infos(dataset) if info['true_mask']]


def test_they_are_images_of_the_split_that_hold_a_class(root):
    for number in (1, 5, 12):
        dataset = few(root, number)
        assert len(seen(dataset)) == number
        assert all(info['gt_label'] and 'train' in info['image'] for info in infos(dataset)
                   if info['true_mask'])  # fmt: skip
        assert sorted(dataset.true_masks['images']) == sorted(seen(dataset))


def test_the_masks_of_a_smaller_number_are_among_those_of_a_larger(root):
    for seed in range(2):
        lots = [few(root, n, mask_seed=seed).true_masks['images'] for n in (1, 2, 5, 9, 12)]
        assert all(lots[-1][: len(lot)] == lot for lot in lots)


def test_seeds_draw_other_lots_and_one_seed_always_the_same(root):
    lots = [tuple(few(root, 4, mask_seed=seed).true_masks['images']) for seed in range(4)]
    again = [tuple(few(root, 4, mask_seed=seed).true_masks['images']) for seed in range(4)]
    assert lots == again and len(set(lots)) > 2


def test_none_of_a_group_comes_twice_before_one_of_each_has_come(root):
    for seed in range(2):
        dataset = few(root, 8, mask_seed=seed)
        groups = {info['image']: info['columns']['group'] for info in infos(dataset)}
        drawn = [groups[image] for image in dataset.true_masks['images']]
        assert len(set(drawn)) == 8 == dataset.true_masks['groups']
        whole = [groups[image] for image in few(root, 12, mask_seed=seed).true_masks['images']]
        assert Counter(whole) == {
            f'day {i}{x}': n for i in range(4) for x, n in (('a', 2), ('b', 1))
        }


ROWS = [Row(i, f'{i}.png', 'train', (1,), dict(group=str(i % 3))) for i in range(12)]


def test_the_order_of_the_table_does_not_matter():
    assert in_order_of_lot(ROWS, 3) == in_order_of_lot(ROWS[::-1], 3)


def test_every_image_is_the_first_of_some_lot_about_as_often():
    first = Counter(in_order_of_lot(ROWS, seed)[0].number for seed in range(600))
    assert len(first) == 12 and max(first.values()) < 2.5 * min(first.values())


def test_the_others_have_pseudo_masks(root, pseudo):
    dataset = few(root, 4, seg_map_dir=str(pseudo))
    assert len(dataset) == 24
    for info in infos(dataset):
        folder = root / 'masks' if info['true_mask'] else pseudo
        assert info['seg_map_path'].startswith(str(folder))


def test_a_pseudo_mask_in_the_place_of_a_true_one_is_not_needed(root, pseudo):
    for image in few(root, 4).true_masks['images']:
        (pseudo / image.removeprefix('images/')).unlink()
    assert len(few(root, 4, seg_map_dir=str(pseudo))) == 24


def test_without_pseudo_masks_the_others_have_none(root):
    for info in infos(few(root, 4)):
        assert ('seg_map_path' in info) == info['true_mask']


def test_nothing_beside_them_is_the_same_masks_without_image_labels(root):
    alone = few(root, 4, beside='nothing', mask_seed=2)
    assert sorted(names(alone)) == sorted(few(root, 4, mask_seed=2).true_masks['images'])
    assert all(info['true_mask'] for info in infos(alone))


def test_clear_images_beside_them_have_no_mask_file(root):
    dataset = few(root, 4, beside='clear')
    clear = [info for info in infos(dataset) if not info['true_mask']]
    assert len(dataset) == 4 + 12 == 4 + len(clear)
    assert not any(info['gt_label'] or 'seg_map_path' in info for info in clear)


def test_an_epoch_of_few_masks_is_as_long_as_one_of_all_images(root):
    for at_least in (None, 100):
        alone, all_images = (few(root, 4, beside=b, at_least=at_least) for b in ('nothing', 'all'))
        assert len(alone) < len(all_images) == len(WeightedSampler(alone, true_masks=1))


def test_alone_there_need_not_be_clear_images_in_the_split(root):
    edit(root, lambda rows: [row for row in rows if row[2] != '0' or row[1] != 'train'])
    assert len(few(root, 4, beside='nothing')) == 4


def test_the_record_says_which(root):
    record = few(root, 4).true_masks
    assert record.keys() == {'number', 'seed', 'groups', 'sha256', 'images'}
    other = few(root, 4, mask_seed=1).true_masks
    assert record['sha256'] != other['sha256']
    mask = root / 'masks' / record['images'][0].removeprefix('images/')
    changed = np.zeros((36, 48), np.uint8)
    changed[3, 4] = 1
    save_palette(mask, changed)
    assert few(root, 4).true_masks['sha256'] != record['sha256']


def test_a_data_set_without_them_says_nothing_of_them(root):
    dataset = WeakSegDataset(str(root))
    assert dataset.true_masks is None
    assert not any('true_mask' in info for info in infos(dataset))


# What is refused


def problem(root, number, **settings):
    with pytest.raises(DataError) as caught:
        few(root, number, **settings)
    return str(caught.value)


def test_fewer_masks_than_asked_for(root):
    assert 'num_masks=13, but 12 of the 12 training images with a class' in problem(root, 13)
    (root / 'masks/train_0.png').unlink()
    found = problem(root, 12)
    assert '11 of the 12' in found and f'{root / "masks"}' in found


def test_unlabelled_images_have_none_to_see(root):
    said = problem(root, 12, unlabelled=dict(camera='north'))
    assert '6 of the 6 training images with a class' in said


def test_a_mask_with_smoke_in_an_image_that_is_labelled_clear(root):
    mask = np.zeros((36, 48), np.uint8)
    save_palette(root / 'masks/train_1.png', mask)
    few(root, 2)
    mask[0, 0] = 1
    save_palette(root / 'masks/train_1.png', mask)
    said = problem(root, 2)
    assert 'train_1.png' in said and 'row 3' in said
    assert 'the mask shows smoke, but the image is labelled clear' in said
    assert len(few(root, 2, check_masks=False)) == 24


def test_a_mask_with_a_class_that_the_label_denies(tiny_dataset):
    root = tiny_dataset(classes=('smoke', 'steam'), splits=dict(train=8, val=2))
    mask = np.zeros((36, 48), np.uint8)
    mask[:5] = 2
    save_palette(root / 'masks/train_0.png', mask)  # labelled smoke alone
    with pytest.raises(DataError, match='shows steam, but the image is labelled without steam'):
        few(root, 6, classes=('smoke', 'steam'))


@pytest.mark.parametrize('split', ['val', 'test', ['train', 'val'], 'chimney_only'])
def test_other_splits_have_no_masks_to_learn_from(root, split):
    assert "true masks of the split 'train' alone" in problem(root, 2, split=split)


def test_tests_see_all_masks(root):
    assert 'num_masks is for training' in problem(root, 2, test_mode=True)


@pytest.mark.parametrize('number', [0, -1, 2.5, True, '3'])
def test_what_is_no_number_of_masks(root, number):
    assert 'whole number of at least 1' in problem(root, number)


def test_what_stands_beside_them_is_one_of_three(root):
    assert 'all, clear, nothing' in problem(root, 2, beside='none')
    assert "beside='clear' needs num_masks" in problem(root, None, beside='clear')


def test_all_true_masks_and_only_a_few_of_them_is_a_contradiction(root):
    for folder in ('{data_root}/masks', f'{root}/images/../masks'):
        assert "beside='nothing'" in problem(root, 2, seg_map_dir=folder)


def test_a_mask_of_another_size_is_named(root):
    for image in few(root, 2).true_masks['images']:
        save_palette(root / 'masks' / image.removeprefix('images/'), np.ones((5, 5), np.uint8))
    assert 'mask is 5x5, image is 48x36' in problem(root, 2)


@pytest.fixture
def said(monkeypatch):
    lines, logger = [], MMLogger.get_instance('few-masks')
    monkeypatch.setattr(logger, 'handlers', [handler := logging.Handler(logging.WARNING)])
    monkeypatch.setattr(handler, 'emit', lambda record: lines.append(record.getMessage()))
    return lines


def test_all_of_one_group_is_worth_a_warning(root, said):
    few(root, 2)
    few(root, 1)
    assert not said
    table = root / 'labels.csv'
    with open(table, newline='') as file:
        rows = list(csv.reader(file))
    edit(root, lambda _: [rows[0], *([*row[:-1], 'north'] for row in rows[1:])])
    few(root, 1)
    assert not said
    few(root, 2)
    assert len(said) == 1 and 'all 2 true masks show one group of images, north' in said[0]


# Sampling


def test_true_masks_are_shown_as_many_times_more_often(root):
    dataset = few(root, 4)
    shown = Counter(WeightedSampler(dataset, true_masks=5.0, seed=0))
    true = [index for index, info in enumerate(infos(dataset)) if info['true_mask']]
    assert sum(shown.values()) == 24
    for index in range(24):
        expected = 24 * (5 if index in true else 1) / (4 * 5 + 20)
        assert int(expected) <= shown[index] <= int(expected) + 1


def test_few_masks_alone_fill_an_epoch_that_is_as_long_as_the_split(root):
    alone = few(root, 4, beside='nothing')
    shown = Counter(WeightedSampler(alone, true_masks=5.0, seed=0))
    assert shown == {index: 6 for index in range(4)}


def test_weights_of_a_file_count_as_well(root, tmp_path):
    dataset = few(root, 4)
    image = dataset.true_masks['images'][0]
    (tmp_path / 'weights.csv').write_text(f'image,weight\n{image},3\n')
    sampler = WeightedSampler(dataset, str(tmp_path / 'weights.csv'), true_masks=2.0)
    assert sampler.weights[names(dataset).index(image)] == 6


def test_a_weight_of_masks_that_nobody_sees_is_an_error(root):
    with pytest.raises(DataError, match='no num_masks'):
        WeightedSampler(WeakSegDataset(str(root)), true_masks=2.0)
    with pytest.raises(DataError, match='true_masks: a weight is a number'):
        WeightedSampler(few(root, 2), true_masks=-1)
    with pytest.raises(DataError, match='all 2 images weigh 0'):
        WeightedSampler(few(root, 2, beside='nothing'), true_masks=0)


@pytest.mark.parametrize('settings', [dict(num_masks=2), dict(seg_map_dir='{data_root}/masks')])
def test_masks_that_the_pipeline_does_not_load_are_refused(root, settings):
    steps = [dict(type='mmsmoke.LoadImage'), dict(type='mmsmoke.PackWeakSegInputs')]
    with pytest.raises(DataError, match=f'{next(iter(settings))} says .* the pipeline loads none'):
        WeakSegDataset(str(root), pipeline=steps, **settings)
    steps.insert(1, dict(type='mmsmoke.LoadMask'))
    assert len(WeakSegDataset(str(root), pipeline=steps, **settings))
