import logging
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper

from mmsmoke.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Train in mixed precision without loss scaling, on CPUs as well, unlike AmpOptimWrapper.

    Args:
        dtype: ``bfloat16`` needs no scaling of the loss; float16 is AmpOptimWrapper's business.
            ``auto`` is bfloat16 on devices that have instructions for it, else float32.
    """

    def __init__(self, dtype: str = 'bfloat16', **kwargs):
        super().__init__(**kwargs)
        if dtype == 'auto':
            dtype = 'bfloat16' if has_fast_bfloat16() else 'float32'
        self.dtype = getattr(torch, dtype)
        if dtype == 'bfloat16' and get_device() == 'cpu' and not has_fast_bfloat16():
            print_log(
                'this CPU has no instructions for bfloat16: mixed precision will be many times '
                'slower here than none (leave out --amp, or set optim_wrapper.type=OptimWrapper)',
                'current',
                logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model):
        mixed = torch.autocast(get_device(), dtype=self.dtype, enabled=self.dtype != torch.float32)
        with super().optim_context(model), mixed:
            yield


def has_fast_bfloat16() -> bool:
    """Return whether this run's device has instructions for bfloat16."""
    if get_device() != 'cpu':
        return get_device() != 'cuda' or torch.cuda.is_bf16_supported(including_emulation=False)
    known = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    return known is None or known()
