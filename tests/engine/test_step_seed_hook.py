"""What is random about a training image: other in each epoch, the same in each repetition."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset, pseudo_collate
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import DataLoader

from mmsmoke.engine import StepSeedHook
from mmsmoke.utils.randomness import seed_everything, seeded


class Dice(BaseDataset):
    """Each item is its index and a random number."""

    def __init__(self, size=6):
        self.size = size
        super().__init__()

    def load_data_list(self):
        return [dict() for _ in range(self.size)]

    def prepare_data(self, index):
        return index, torch.rand(()).item()


def rolls(epochs, dataset=None, workers=0, seed=5, loop=EpochBasedTrainLoop, hook=None):
    """What one training after another epoch draws: a list of {position: number} an epoch."""
    loader = DataLoader(
        dataset or Dice(), batch_size=2, num_workers=workers, persistent_workers=workers > 0,
        collate_fn=pseudo_collate,
    )  # fmt: skip
    runner = SimpleNamespace(train_dataloader=loader, seed=seed, visualizer=SimpleNamespace())
    runner.train_loop = loop(runner, loader, 9)
    hook, drawn = hook or StepSeedHook(), []
    for epoch in epochs:
        runner.epoch = epoch
        hook.before_train_epoch(runner)
        values = [value for _, batch in loader for value in batch]
        drawn.append(values)
    return drawn


@pytest.mark.parametrize('workers', [0, 2])
def test_each_epoch_draws_anew_and_a_resumed_one_draws_the_same(workers):
    first, second, third = rolls([0, 1, 2], workers=workers)
    assert len({*first, *second, *third}) == 18
    assert rolls([1, 2], workers=workers) == [second, third]
    assert rolls([0]) == [first]


def test_another_seed_draws_otherwise():
    assert not set(rolls([0])[0]) & set(rolls([0], seed=6)[0])


@pytest.mark.parametrize(
    'mixture', [RepeatDataset(Dice(3), times=2), ConcatDataset([Dice(3), Dice(3)])]
)
def test_repetitions_within_an_epoch_differ(mixture):
    (values,) = rolls([0], mixture)
    assert len(set(values)) == 6


def test_a_training_by_iteration_is_left_alone():
    torch.manual_seed(0)
    (first,) = rolls([0], loop=IterBasedTrainLoop)
    (second,) = rolls([0], loop=IterBasedTrainLoop)
    assert not set(first) & set(second)


def test_copies_do_not_disturb_each_other():
    dataset = Dice()
    ((first, *_),) = expected = rolls([0], dataset)
    rolls([3], copy.deepcopy(dataset))
    assert dataset.__getitems__([0]) == [(0, first)]  # still in epoch 0
    assert rolls([0], dataset) == expected


def test_randomness_outside_goes_on_as_if_nothing_had_happened():
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    first = torch.rand(1)
    with seeded('item', 1, 2):
        torch.rand(3)
    assert torch.equal(torch.cat([first, torch.rand(1)]), expected)


def test_streams_of_other_names_and_numbers_differ():
    drawn = []
    for what in (('step', 7, 3), ('step', 7, 3, 0), ('step', 7, 4), ('item', 7, 3)):
        seed_everything(*what)
        drawn.append(torch.rand(()).item())
    assert len(set(drawn)) == 4
