from contextlib import ExitStack

import torch
import torch.nn.functional as F
from torch import Tensor

from mmsmoke.functional import normalize_cams, weigh_channels
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .grad_cam import GradCAM, at_one_size, look
from .layers import as_map, choose_layers, token_grids


@MODELS.register_module()
class ScoreCAM(GradCAM):
    """Read maps out by Score-CAM (arXiv 1910.01279): a forward pass for each channel, no gradient.

    Each channel of a layer, stretched to [0, 1] and to the size of the image, masks the image; how
    the classifier then answers is the channel's weight, after a softmax over channels. All classes
    are answered at once. The weights of a class add up to one, also where the image does not have
    it: the strength of a map says nothing.

    Args:
        layers, mode, weights: as :class:`~mmsmoke.models.cams.GradCAM`. A layer of C channels
            takes C forward passes for each image.
        batch_size: masked images in one forward pass.
    """

    def __init__(self, *args, batch_size: int = 16, **kwargs):
        super().__init__(*args, **kwargs)
        if batch_size < 1:
            raise UserError(f'batch_size must be at least 1, got {batch_size}')
        self.batch_size = batch_size

    @torch.no_grad()
    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        layers = choose_layers(classifier.backbone, self.layers)
        outputs = {}
        with ExitStack() as hooks, token_grids(classifier.backbone) as grids:
            for layer in layers:
                hooks.enter_context(
                    layer.register_forward_hook(lambda layer, _, out: outputs.update({layer: out}))
                )
            logits, feats = look(classifier, inputs)
        maps = []
        for layer in layers:
            grid = grids.get(layer, feats[-1].shape[2:])
            activation = as_map(outputs[layer], layer, grid).float()
            weights = self._answers(classifier, inputs, activation).softmax(-1)
            maps.append(weigh_channels(weights, activation))
        return logits, at_one_size(maps)

    def _answers(self, classifier, inputs: Tensor, activation: Tensor) -> Tensor:
        """Return the logits [K, B, C] of each image behind each channel's mask."""
        batch, channels = activation.shape[:2]
        masks, found = activation.flatten(0, 1)[:, None], []
        for numbers in torch.arange(len(masks), device=masks.device).split(self.batch_size):
            # corners are aligned here, as in the implementations that one may compare with
            some = F.interpolate(
                masks[numbers], inputs.shape[-2:], mode='bilinear', align_corners=True
            )
            stretched = normalize_cams(some - some.amin((-2, -1), keepdim=True))
            logits, _ = look(classifier, inputs[numbers // channels] * stretched)
            found.append(logits.float())
        return torch.cat(found).T.unflatten(1, (batch, channels))
