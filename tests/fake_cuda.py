"""A GPU for machines without one: tensors that compute on the CPU and say that they lie on a GPU.

They have values, so whatever asks for one goes on, and they are as strict as those of a GPU: what
meets a tensor of the CPU fails, and so does a conversion to NumPy without ``.cpu()``. Autograd has
no threads for a GPU that is not there, so there is no backward pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

PRECISIONS = [
    pytest.param(precision, id=str(precision).removeprefix('torch.'))
    for precision in (None, torch.float16, torch.bfloat16)
]
"""Name precisions of an autocast for ``pytest.mark.parametrize``; None is no autocast."""
CPU, CUDA = torch.device('cpu'), torch.device('cuda', 0)
COPIES = {torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default}
# a GPU takes the indices of the CPU, too
INDEXING = {
    torch.ops.aten.index.Tensor,
    torch.ops.aten.index_put.default,
    torch.ops.aten.index_put_.default,
    torch.ops.aten._index_put_impl_.default,
}
SOFTMAX = {torch.ops.aten._softmax.default, torch.ops.aten._log_softmax.default}
# what functions of torch.cuda say
ANSWERS = {
    '_lazy_init': None, 'is_bf16_supported': True, 'amp.common.amp_definitely_not_available': False,
}  # fmt: skip


class DeviceError(RuntimeError):
    """Devices were mixed."""


class OnCuda(Tensor):
    """A tensor that says that it lies on a GPU; ``held`` has its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor):
        place = {}
        if held.layout is torch.strided:
            place = dict(strides=held.stride(), storage_offset=held.storage_offset())
        one = Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype, device=CUDA, **place)
        one.held = held
        return one

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})

    def tolist(self):
        return self.cpu().tolist()

    def __repr__(self) -> str:
        return f'OnCuda({self.held})'

    def __deepcopy__(self, memo: dict):
        copied = OnCuda(self.held.clone()).requires_grad_(self.requires_grad)
        if hasattr(self, '_is_param'):
            copied._is_param = self._is_param
        return copied

    def __reduce_ex__(self, protocol):
        raise DeviceError('what is written should lie on the CPU')


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


def _run(func: Callable, args: Sequence, kwargs: Mapping):
    """Compute on the CPU; raise if devices are mixed."""
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    ours = {id(one.held): one for one in tensors if isinstance(one, OnCuda)}
    asked = kwargs.get('device')
    device = torch.device(asked) if asked is not None else CUDA if ours else CPU
    if ours and func not in COPIES:
        indexed = func in INDEXING and isinstance(args[0], OnCuda)
        _check(func, (args[0], args[2:]) if indexed else tensors)
    if device.type == 'cuda' and kwargs.get('generator') is not None:
        raise DeviceError(f'{func} on cuda takes no generator of the CPU')
    if func is torch.ops.aten.copy_.default:
        device = args[0].device

    def unwrap(one):
        return one.held if isinstance(one, OnCuda) else one

    def wrap(one):
        if not isinstance(one, Tensor) or device.type == 'cpu':
            return one
        return ours[id(one)] if id(one) in ours else OnCuda(one)

    plain = {key: CPU if key == 'device' else value for key, value in kwargs.items()}
    args = tree_map(unwrap, list(args))
    if func in SOFTMAX and args[2]:  # a softmax of halves that gives floats is CUDA's alone
        args[0], args[2] = args[0].float(), False
    return tree_map(wrap, func(*args, **tree_map(unwrap, plain)))


def _check(func: Callable, found) -> None:
    """Raise if a tensor in a structure is the CPU's; a number, of no dimension, may be."""
    tensors = [one for one in tree_leaves(found) if isinstance(one, Tensor)]
    strangers = [tuple(one.shape) for one in tensors if one.dim() and not isinstance(one, OnCuda)]
    if strangers:
        raise DeviceError(f'{func}: cuda meets cpu, {strangers}')


@contextmanager
def fake_cuda(precision: torch.dtype | None = None) -> Iterator[None]:
    """Let ``cuda`` be a device.

    Args:
        precision: of an autocast; none if None.
    """
    if torch.cuda.is_available():  # so that it is not taken for done later
        torch.cuda.init()
    torch._C._ensureCUDADeviceGuardSet()
    # a module that moves gets new parameters; old ones with new data would lose what they hold
    renewed = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(…, device='cuda') by way of the CPU
    try:
        with ExitStack() as stack:
            for name, answer in ANSWERS.items():
                stack.enter_context(mock.patch(f'torch.cuda.{name}', lambda answer=answer: answer))
            # kernels that a CPU has, too
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            stack.enter_context(_Mode())
            if precision is not None:
                stack.enter_context(torch.autocast('cuda', precision))
            yield
    finally:
        torch._C._set_only_lift_cpu_tensors(False)
        torch.__future__.set_overwrite_module_params_on_conversion(renewed)


def on_cuda(found):
    """Bring all tensors in a structure to the GPU."""
    return tree_map(lambda one: one.cuda() if isinstance(one, Tensor) else one, found)


def on_cpu(found):
    """Bring all tensors in a structure to the CPU."""
    return tree_map(lambda one: one.cpu() if isinstance(one, Tensor) else one, found)


def devices_of(found) -> set[str]:
    """Tell where the tensors in a structure lie."""
    return {one.device.type for one in tree_leaves(found) if isinstance(one, Tensor)}
