import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache

import torch
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from yapf.yapflib import yapf_api

from mmsmoke.registry import RUNNERS
from mmsmoke.utils.progress import waiting
from mmsmoke.utils.quiet import keep_quiet

from .hooks.progress_hook import ProgressHook
from .screen import ScreenHandler

_format = yapf_api.FormatCode


@lru_cache(maxsize=8)
def _formatted(code: str, style: tuple) -> tuple[str, bool]:
    return _format(code, style_config=dict(style))


def format_once(*args, style_config=None, **others) -> tuple[str, bool]:
    """Format code as yapf does, the same code once.

    mmengine asks for the text of a run's config at each checkpoint, which takes 0.1 s each time.
    """
    if len(args) != 1 or others or not isinstance(style_config, dict):
        return _format(*args, style_config=style_config, **others)
    return _formatted(*args, tuple(style_config.items()))


yapf_api.FormatCode = format_once


@RUNNERS.register_module()
class ScreenRunner(Runner):
    """Run as mmengine's Runner, with a screen for somebody who watches.

    Its log file is that of mmengine; the screen leaves out what only that needs and has progress
    bars, if it is a terminal. Nothing of it stands in the config, so two runs that
    only look different have the same settings.
    """

    def build_logger(self, *args, **kwargs) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        logger.handlers[:] = [
            ScreenHandler(one) if type(one) is logging.StreamHandler else one
            for one in logger.handlers
        ]
        keep_quiet(logger)
        config = f'config {self.cfg.filename}, ' if self.cfg.filename else ''
        logger.info(f'{config}work dir {self.work_dir}, log file {logger.log_file}')
        return logger

    def set_randomness(self, seed, diff_rank_seed=False, deterministic=False) -> None:
        """Seed, and be deterministic where torch can; it warns where it cannot.

        mmengine would stop there, as at the cross entropy of a map on a GPU.
        """
        super().set_randomness(seed, diff_rank_seed, deterministic)
        if deterministic:
            os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # what cuBLAS needs for it
            torch.use_deterministic_algorithms(True, warn_only=True)

    def register_hooks(self, *args, **kwargs) -> None:
        super().register_hooks(*args, **kwargs)
        self.progress = ProgressHook()
        self.register_hook(self.progress)

    build_model = waiting('building the model')(Runner.build_model)
    build_train_loop = waiting('reading the training data')(Runner.build_train_loop)
    build_val_loop = waiting('reading the validation data')(Runner.build_val_loop)
    build_test_loop = waiting('reading the test data')(Runner.build_test_loop)

    def train(self):
        with self._ending():
            return super().train()

    def val(self):
        with self._ending():
            return super().val()

    def test(self):
        with self._ending():
            return super().test()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """End with a run its progress bar, and the processes that wait for another epoch to load.

        Left to the garbage collector, which takes their queues apart first, each of these would
        take five seconds.
        """
        with closing(self.progress):
            yield
        for loop in (self._train_loop, self._val_loop, self._test_loop):
            loader = getattr(loop, 'dataloader', None)
            if getattr(loader, 'persistent_workers', False):
                loader._iterator = None
