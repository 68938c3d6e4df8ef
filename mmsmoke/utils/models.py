from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, where several processes train or test it."""
    return model.module if is_model_wrapper(model) else model
