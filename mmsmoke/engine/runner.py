import logging
import os
from contextlib import closing

import torch
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from mmsmoke.registry import RUNNERS
from mmsmoke.utils.progress import waiting
from mmsmoke.utils.quiet import keep_quiet

from .hooks.progress_hook import ProgressHook
from .screen import ScreenHandler


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
        with closing(self.progress):
            return super().train()

    def val(self):
        with closing(self.progress):
            return super().val()

    def test(self):
        with closing(self.progress):
            return super().test()
