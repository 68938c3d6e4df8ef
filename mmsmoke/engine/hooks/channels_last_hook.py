import torch
from mmengine.hooks import Hook

from mmsmoke.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keeps a model in the order of memory in which convolutions on a CPU are fastest.

    Numbers change by rounding only. How much it brings: ``tools/benchmarks/training.py``.
    """

    def before_run(self, runner) -> None:
        runner.model.to(memory_format=torch.channels_last)
