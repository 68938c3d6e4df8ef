from mmengine.model import is_model_wrapper
from torch import nn


def segmentor_threshold(model: nn.Module) -> float | None:
    """Return that of a segmentor with one logit; None where the strongest channel wins."""
    head = getattr(model, 'decode_head', None)
    return head.threshold if getattr(head, 'out_channels', None) == 1 else None


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model without the wrapper that it has where several processes use it."""
    return model.module if is_model_wrapper(model) else model
