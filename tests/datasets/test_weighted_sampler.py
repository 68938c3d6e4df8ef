from collections import Counter

import pytest
import torch

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.weighted_sampler import WeightedSampler, draw
from mmsmoke.utils import DataError, UserError


def test_each_comes_as_often_as_its_share_says_or_once_more():
    weights = torch.tensor([0.0, 1.0, 2.5, 20.0])
    for seed in range(20):
        counts = Counter(draw(weights, 47, torch.Generator().manual_seed(seed)).tolist())
        for index, expected in enumerate(47 * weights / weights.sum()):
            assert int(expected) <= counts[index] <= int(expected) + 1


def test_over_many_epochs_frequencies_are_the_weights():
    weights, counts = torch.tensor([1.0, 1.5, 0.25]), torch.zeros(3)
    for seed in range(400):
        counts += torch.bincount(draw(weights, 5, torch.Generator().manual_seed(seed)), minlength=3)
    assert torch.allclose(counts / counts.sum(), weights / weights.sum(), atol=0.01)


@pytest.fixture
def dataset(tiny_dataset):
    return WeakSegDataset(str(tiny_dataset(splits=dict(train=9, val=2))), split='train')


def sampler(dataset, tmp_path, text='image,weight\nimages/train_1.png,4\n', **settings):
    file = tmp_path / 'weights.csv'
    file.write_text(text)
    return WeightedSampler(dataset, str(file), seed=0, **settings)


def test_processes_share_an_epoch_out(dataset, tmp_path, monkeypatch):
    whole = list(sampler(dataset, tmp_path, '\ufeffimage,weight\nimages/train_1.png,4\n'))
    parts = []
    for rank in (0, 1):
        one = sampler(dataset, tmp_path)
        one.rank, one.world_size, one.num_samples, one.total_size = rank, 2, 5, 10
        parts.append(list(one))
    assert len(whole) == 9 and [len(part) for part in parts] == [5, 5]
    shown = Counter(parts[0] + parts[1])
    assert shown[1] in (3, 4)  # 10 * 4 / 12


def test_an_epoch_is_the_same_after_a_resume_and_another_one_differs(dataset, tmp_path):
    first, again = sampler(dataset, tmp_path), sampler(dataset, tmp_path)
    for one in (first, again):
        one.set_epoch(3)
    assert list(first) == list(again)
    first.set_epoch(4)
    assert list(first) != list(again)


def test_weights_may_stand_in_the_table(tiny_dataset, tmp_path):
    root = tiny_dataset(splits=dict(train=4, val=2))
    lines = (root / 'labels.csv').read_text().splitlines()
    weighted = [
        lines[0] + ',weight',
        *(f'{line},{3 if "train_2" in line else 1}' for line in lines[1:]),
    ]
    (root / 'labels.csv').write_text('\n'.join(weighted) + '\n')
    found = WeightedSampler(WeakSegDataset(str(root), split='train'), seed=0)
    assert sorted(found.weights.tolist()) == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (
            'image,weight\nimages/train_1.png,-1\n',
            'train_1.png: a weight is a number of at least 0',
        ),
        ('image,weight\nimages/train_1.png,much\n', "not 'much'"),
        ('image,weight\nimages/train_1.png\n', 'not None'),
        ('images/train_1.png,4\n', r'weights.csv must have the columns image and weight'),
        ('', r'weights.csv must have the columns image and weight'),
    ],
)
def test_what_is_no_weight_is_named(dataset, tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        sampler(dataset, tmp_path, text)


def test_a_file_or_column_that_is_not_there_is_named(dataset):
    with pytest.raises(UserError, match=r'no\.csv, the file of weights, not found'):
        WeightedSampler(dataset, 'no.csv')
    with pytest.raises(DataError, match="no column 'weight'"):
        WeightedSampler(dataset)


def test_a_column_of_weights_may_be_left_aside(tiny_dataset):
    root = tiny_dataset(splits=dict(train=4, val=2))
    header, *lines = (root / 'labels.csv').read_text().splitlines()
    table = [f'{header},weight', *(f'{line},much' for line in lines)]
    (root / 'labels.csv').write_text('\n'.join(table) + '\n')
    sampler = WeightedSampler(WeakSegDataset(str(root)), weights=False, seed=0)
    assert sampler.weights.tolist() == [1.0] * 4
