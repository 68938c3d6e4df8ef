import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from mmsmoke.registry import HOOKS
from mmsmoke.utils.randomness import seed_everything, seeded


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Make all randomness of a training step a function of seed, process and step.

    A training that was interrupted and resumed then ends with the same weights, bit for bit on a
    CPU, as one that was not; mmengine's checkpoints alone hold no state of random generators.
    In trainings by epoch, what is random about an item of the training set, whatever data sets it
    consists of, depends on seed, epoch and the item's index only, so not on the number of loader
    workers. Trainings by iteration draw their augmentations anew after a resume.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner) -> None:
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            dataset = runner.train_dataloader.dataset
            if not isinstance(getattr(dataset, '__getitems__', None), SeededItems):
                # torch's loaders ask for the items of a batch by this name
                dataset.__getitems__ = SeededItems(dataset)
            dataset.__getitems__.seed(runner.seed, runner.epoch)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        seed_everything('step', runner.seed, get_rank(), runner.iter)


class SeededItems:
    """Fetch items of a data set, each with randomness of its own.

    The seed is in shared memory, where loader workers that live on see it change.
    """

    def __init__(self, dataset):
        self.dataset = dataset
        self.numbers = torch.zeros(2, dtype=torch.int64).share_memory_()

    def seed(self, seed: int, epoch: int) -> None:
        self.numbers.copy_(torch.tensor([seed, epoch]))

    def __call__(self, indices: list[int]) -> list:
        items = []
        for index in indices:
            with seeded('item', *self.numbers.tolist(), index):
                items.append(self.dataset[index])
        return items
