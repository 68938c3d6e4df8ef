import torch
from mmpretrain.models import TIMMBackbone

from mmsmoke.registry import MODELS


@MODELS.register_module()
class TIMMPyramid(TIMMBackbone):
    """Give the maps of the stages of a CNN of timm, the finest first.

    Its weights lie in memory with the channels last, in which order convolutions on a CPU take up
    to half the time; what follows it inherits the order. Numbers change by rounding only. Stages
    that are not asked for do not learn.

    Args: as :class:`mmpretrain.models.TIMMBackbone`; ``features_only`` is always true.
    """

    def __init__(self, model_name: str, **kwargs):
        kwargs['features_only'] = True
        super().__init__(model_name, **kwargs)
        self.to(memory_format=torch.channels_last)
        # an EfficientNet of timm goes on after the last stage that is asked for; several processes
        # would wait for its gradients
        kind, place, *_ = [*self.timm_model.feature_info.module_name()[-1].split('.'), '']
        if kind == 'blocks' and hasattr(self.timm_model, kind):
            self.timm_model.blocks[int(place) + 1 :].requires_grad_(False)
