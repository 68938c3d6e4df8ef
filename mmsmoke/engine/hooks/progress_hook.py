from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import IterBasedTrainLoop

from mmsmoke.registry import HOOKS
from mmsmoke.utils.progress import progress

from ..loops import PseudoLabelLoop


@HOOKS.register_module()
class ProgressHook(Hook):
    """Show how far a training, a validation, a test or a label run is.

    On a terminal it is a bar, one at a time; everywhere the log has a line for the first iteration,
    which LoggerHook would pass over. Whoever runs something closes the bar if that fails.
    """

    priority = 'BELOW_NORMAL'  # after LoggerHook

    def __init__(self):
        self.bar = None
        self.begun = False

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None

    def _before_epoch(self, runner, mode: str = 'train') -> None:
        self.close()
        loader = getattr(runner, f'{mode}_dataloader')
        if mode != 'train':
            _forget_numbers(runner, mode)
            is_label_run = mode == 'test' and isinstance(runner.test_loop, PseudoLabelLoop)
            text = 'labels' if is_label_run else dict(val='validation', test='test')[mode]
            self.bar = progress(total=len(loader), text=text)
        elif isinstance(runner.train_loop, IterBasedTrainLoop):
            self.bar = progress(total=runner.max_iters, text='training', initial=runner.iter)
        else:
            text = f'epoch {runner.epoch + 1}/{runner.max_epochs}'
            self.bar = progress(total=len(loader), text=text)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if self.bar is None:  # there was a validation within the epoch
            self._before_epoch(runner)

    def _after_iter(self, runner, batch_idx, data_batch=None, outputs=None, mode='train') -> None:
        loss = runner.message_hub.log_scalars.get('train/loss')
        if mode == 'train' and not self.bar.disable and loss is not None:
            self.bar.set_postfix_str(f'loss {loss.current():.4f}', refresh=False)
        self.bar.update()
        if (mode == 'train' and not self.begun) or (mode == 'test' and batch_idx == 0):
            self.begun = self.begun or mode == 'train'
            _log_first(runner, batch_idx, mode)

    def _after_epoch(self, runner, mode: str = 'train') -> None:
        self.close()


def _forget_numbers(runner, mode: str) -> None:
    """Forget the last numbers; mmengine would log those of what is not measured this time."""
    scalars = runner.message_hub.log_scalars
    for name in [name for name in scalars if name.startswith(f'{mode}/')]:
        del scalars[name]


def _log_first(runner, batch_idx: int, mode: str) -> None:
    loader = getattr(runner, f'{mode}_dataloader')
    loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
    if loggers and loggers[0].interval > 1 and len(loader) > 1:
        _, line = runner.log_processor.get_log_after_iter(runner, batch_idx, mode)
        runner.logger.info(line)
