from collections.abc import Iterator

from mmengine.dist import get_rank
from mmengine.hooks import Hook

from mmsmoke.registry import HOOKS
from mmsmoke.utils.randomness import seed_everything


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Makes all randomness of a training step a function of seed, process and step.

    A training that was interrupted and resumed then ends with the same weights, bit for bit on a
    CPU, as one that was not; mmengine's checkpoints alone hold no state of random generators.
    Each image's augmentation depends on seed, epoch and image only, so not on the number of
    loader workers. This covers trainings by epoch and data sets of ours; trainings by iteration
    draw their augmentations anew.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner) -> None:
        for dataset in leaves(runner.train_dataloader.dataset):
            if hasattr(dataset, 'seed_augmentation'):
                dataset.seed_augmentation(runner.seed, runner.epoch)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        seed_everything(runner.seed, get_rank(), runner.iter)


def leaves(dataset) -> Iterator:
    """The data sets inside mmengine's wrappers (concatenated, repeated, balanced)."""
    for inner in getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]:
        if inner is None:
            yield dataset
        else:
            yield from leaves(inner)
