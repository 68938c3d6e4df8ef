from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import IterBasedTrainLoop

from mmsmoke.registry import HOOKS
from mmsmoke.utils.progress import progress

from ..loops import PseudoLabelLoop


@HOOKS.register_module()
class ProgressHook(Hook):
    """Shows how far a training, a validation, a test or a label run is.

    On a terminal it is a bar; everywhere the log has a line for the first iteration, which
    LoggerHook would pass over.

    There is one bar at a time. As a context manager the hook takes that of a run that failed off
    the screen.
    """

    priority = 'BELOW_NORMAL'  # after LoggerHook

    def __init__(self):
        self.bar = None
        self.begun = False

    def __enter__(self) -> 'ProgressHook':
        return self

    def __exit__(self, *_) -> None:
        self._close()

    def _open(self, **options) -> None:
        self._close()
        self.bar = progress(**options)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None

    def before_train_epoch(self, runner) -> None:
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            self._open(total=runner.max_iters, text='training', initial=runner.iter)
        else:
            text = f'epoch {runner.epoch + 1}/{runner.max_epochs}'
            self._open(total=len(runner.train_dataloader), text=text)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if self.bar is None:  # there was a validation within the epoch
            self.before_train_epoch(runner)

    def before_val_epoch(self, runner) -> None:
        _forget_numbers(runner, 'val')
        self._open(total=len(runner.val_dataloader), text='validation')

    def before_test_epoch(self, runner) -> None:
        _forget_numbers(runner, 'test')
        text = 'labels' if isinstance(runner.test_loop, PseudoLabelLoop) else 'test'
        self._open(total=len(runner.test_dataloader), text=text)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        loss = runner.message_hub.log_scalars.get('train/loss')
        if not self.bar.disable and loss is not None:
            self.bar.set_postfix_str(f'loss {loss.current():.4f}', refresh=False)
        self.bar.update()
        if not self.begun:
            self.begun = True
            _log_first(runner, batch_idx, 'train')

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.bar.update()

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.bar.update()
        if batch_idx == 0:
            _log_first(runner, batch_idx, 'test')

    def after_train_epoch(self, runner) -> None:
        self._close()

    def after_val_epoch(self, runner, metrics=None) -> None:
        self._close()

    def after_test_epoch(self, runner, metrics=None) -> None:
        self._close()


def _forget_numbers(runner, mode: str) -> None:
    """mmengine would log those of the last time for whatever is not measured this time."""
    scalars = runner.message_hub.log_scalars
    for name in [name for name in scalars if name.startswith(f'{mode}/')]:
        del scalars[name]


def _log_first(runner, batch_idx: int, mode: str) -> None:
    loader = runner.train_dataloader if mode == 'train' else runner.test_dataloader
    loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
    if loggers and loggers[0].interval > 1 and len(loader) > 1:
        _, line = runner.log_processor.get_log_after_iter(runner, batch_idx, mode)
        runner.logger.info(line)
