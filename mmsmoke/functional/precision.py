"""Keep what needs exact numbers out of mixed precision."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import torch
from torch import Tensor

Function = TypeVar('Function', bound=Callable)


def without_autocast(function: Function) -> Function:
    """Make a function compute in the types of its arguments, whatever autocast is on.

    Its first argument is a tensor, whose device is meant.
    """

    @wraps(function)
    def compute(first: Tensor, *others, **options):
        with torch.autocast(first.device.type, enabled=False):
            return function(first, *others, **options)

    return compute
