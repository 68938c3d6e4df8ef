import logging
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper

from mmsmoke.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Mixed precision without loss scaling on any device; mmengine's AmpOptimWrapper has no CPU.

    Args:
        dtype: ``bfloat16`` needs no scaling of the loss; float16 is AmpOptimWrapper's business.
    """

    def __init__(self, dtype: str = 'bfloat16', **kwargs):
        super().__init__(**kwargs)
        self.dtype = getattr(torch, dtype)
        if self.dtype == torch.bfloat16 and get_device() == 'cpu' and not _cpu_has_bfloat16():
            print_log(
                'this CPU has no instructions for bfloat16: mixed precision will be many times '
                'slower here than none (leave out --amp, or set optim_wrapper.type=OptimWrapper)',
                'current',
                logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model):
        with super().optim_context(model), torch.autocast(get_device(), dtype=self.dtype):
            yield


def _cpu_has_bfloat16() -> bool:
    known = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    return known is None or known()
