from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model without the wrapper that it has where several processes use it."""
    return model.module if is_model_wrapper(model) else model
