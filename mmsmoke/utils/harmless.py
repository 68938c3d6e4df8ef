"""List what a checkpoint may hold besides weights, with a stand-in for each while it is read.

PyTorch's reader calls what is on its list with whatever the file says, and hands over whatever
state the file says. So the types themselves are not on the list, but stand-ins that take plain
values only: a dtype of NumPy believes a file that lies about its memory, and the statistics of
mmengine's HistoryBuffer are those of the whole process.
"""

import re
from pickle import UnpicklingError
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

_CODE = re.compile(r'[<>|=]?(b1|[iuf][1248]|f16|c8|c16|c32|S[1-9]\d{0,5}|U[1-9]\d{0,5})')
_MOST = 2**20
_UNNAMEABLE = 'numpy array\nno file can say a name with a line break'


def harmless_globals() -> list[tuple]:
    """List the stand-ins with the names that files have for them."""
    functions = [
        (function, f'numpy.{core}.multiarray.{name}')
        for core in ('core', '_core')  # the module has changed its name
        for function, name in ((_empty_array, '_reconstruct'), (_scalar, 'scalar'))
    ]
    history = f'{HistoryBuffer.__module__}.{HistoryBuffer.__name__}'
    return [
        *functions,
        (_Kind, 'numpy.dtype'),
        (_Array, _UNNAMEABLE),
        (_refuse_array, 'numpy.ndarray'),
        (_History, history),
        (_statistic, 'builtins.getattr'),
        (_config, f'{ConfigDict.__module__}.{ConfigDict.__name__}'),
        (_Namespace, 'argparse.Namespace'),  # the arguments that DeiT, MAE and DINO keep
        (_Text, 'torch.torch_version.TorchVersion'),
        (_plain_dict, 'collections.defaultdict'),
        (_plain_dict, 'builtins.dict'),
        (_plain_list, 'builtins.list'),
        (_no_bytes, 'builtins.bytes'),  # of an empty array
    ]


def _refuse(what: str) -> UnpicklingError:
    return UnpicklingError(f'GLOBAL {what} is not allowed with these values')


class _Kind:
    """Stands for a dtype: of numbers, truth values, or text of one length; nothing with fields.

    Attributes:
        dtype: what it stands for.
    """

    def __init__(self, code: Any, align: Any = False, copy: Any = False):
        if type(code) is not str or not _CODE.fullmatch(code):
            raise _refuse('numpy.dtype')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        _, order, subarray, names, fields, *_ = state
        if order not in ('<', '>', '|', '=') or (subarray, names, fields) != (None, None, None):
            raise _refuse('numpy.dtype')
        if order in '<>':
            self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """Stands for an array while its content is on the way; saved again, it is a plain one."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, fortran, content = state
        if type(kind) is not _Kind or type(content) is not bytes or self.size:
            raise _refuse('numpy.ndarray')
        if kind.dtype.kind == 'U':
            _require_text(content, kind.dtype)
        if max(shape, default=0) > max(_MOST, len(content)):
            raise _refuse('numpy.ndarray')
        super().__setstate__((1, shape, kind.dtype, bool(fortran), content))

    def __reduce__(self):
        return np.asarray(self).__reduce__()

    def __reduce_ex__(self, protocol):
        return np.asarray(self).__reduce_ex__(protocol)


def _empty_array(*_) -> _Array:
    return np.ndarray.__new__(_Array, (0,), 'b')


def _scalar(kind: Any, content: Any) -> np.generic:
    if type(kind) is not _Kind or type(content) is not bytes:
        raise _refuse('numpy.scalar')
    if kind.dtype.kind == 'U':
        _require_text(content, kind.dtype)
    return np.frombuffer(content, kind.dtype, 1)[0]


def _require_text(content: bytes, kind: np.dtype) -> None:
    """Raise for numbers that stand for no letter: NumPy would stumble over them much later."""
    letters = np.frombuffer(content, np.dtype('u4').newbyteorder(kind.byteorder))
    if (letters > 0x10FFFF).any() or ((letters >= 0xD800) & (letters < 0xE000)).any():
        raise _refuse('numpy.dtype')


def _refuse_array(*_) -> None:
    raise _refuse('numpy.ndarray')


class _History(HistoryBuffer):
    """Stands for the log of one number, of which the numbers are kept."""

    def __setstate__(self, state: dict) -> None:
        self._log_history = _numbers(state['_log_history'])
        self._count_history = _numbers(state['_count_history'])
        self.max_length = int(state['max_length'])
        self._set_default_statistics()
        self.__class__ = HistoryBuffer


def _numbers(values: Any) -> np.ndarray:
    array = np.array(values)
    if array.dtype.kind not in 'biuf':
        raise _refuse('mmengine.logging.history_buffer.HistoryBuffer')
    return array


def _statistic(*_) -> None:
    """Stand for ``getattr``, by which logs name their statistics, which nobody asks a file for."""


def _config(content: Any) -> ConfigDict:
    if not isinstance(content, dict):
        raise _refuse('mmengine.config.config.ConfigDict')
    return ConfigDict(content)


class _Namespace(dict):
    def __setstate__(self, state: dict) -> None:
        self.update(state)


class _Text(str):
    def __setstate__(self, state: Any) -> None:
        """Take no state: a text has none."""


def _plain_dict(*_) -> dict:
    return {}


def _no_bytes() -> bytes:
    return b''


def _plain_list(*_) -> list:
    return []
