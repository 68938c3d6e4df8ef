import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError
from mmsmoke.utils.models import unwrapped


@HOOKS.register_module()
class FalsePositiveCentresHook(Hook):
    """Renew the centres of every ``mmsmoke.FalsePositiveLoss`` before each epoch.

    The network looks once more at the training images, as the pipeline shows them, without
    learning. Of several processes the first one does, at its share of the images.

    Args:
        begin: epochs that pass before: centres of a network that has learned nothing are of no use.
    """

    priority = 'BELOW_NORMAL'  # by then samplers and items know of the epoch

    def __init__(self, begin: int = 1):
        self.begin = begin

    def before_train(self, runner) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise UserError('FalsePositiveCentresHook needs a training by epochs')
        if not _losses(runner):
            raise UserError(
                'FalsePositiveCentresHook needs a classifier with '
                "aux=[dict(type='mmsmoke.FalsePositiveLoss')]"
            )

    def before_train_epoch(self, runner) -> None:
        if runner.epoch < self.begin:
            return
        losses = _losses(runner)
        if is_main_process():
            for loss in losses:
                loss.begin(runner.seed + runner.epoch)
            _look(unwrapped(runner.model), runner.train_dataloader)
            for loss in losses:
                loss.finish()
                runner.logger.info(f'centres of regions, true and false: {loss.counts.tolist()}')
        for loss in losses:
            broadcast(loss.centres)
            broadcast(loss.counts)


def _losses(runner) -> list:
    from mmsmoke.models.losses import FalsePositiveLoss

    modules = unwrapped(runner.model).modules()
    return [one for one in modules if isinstance(one, FalsePositiveLoss)]


@torch.no_grad()
def _look(model, dataloader) -> None:
    model.eval()  # a training loop puts it back
    for batch in dataloader:
        model(**model.data_preprocessor(batch), mode='loss')
