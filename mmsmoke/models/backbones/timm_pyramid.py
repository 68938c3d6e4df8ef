import torch
from mmpretrain.models import TIMMBackbone

from mmsmoke.registry import MODELS


@MODELS.register_module()
class TIMMPyramid(TIMMBackbone):
    """Give the maps of the stages of a CNN of timm, the finest first.

    Its weights lie in memory with the channels last, in which order convolutions on a CPU take up
    to half the time; what follows it inherits the order. Numbers change by rounding only.

    Args: as :class:`mmpretrain.models.TIMMBackbone`; ``features_only`` is always true.
    """

    def __init__(self, model_name: str, **kwargs):
        kwargs['features_only'] = True
        super().__init__(model_name, **kwargs)
        self.to(memory_format=torch.channels_last)
