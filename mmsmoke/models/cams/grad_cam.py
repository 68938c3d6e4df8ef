from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from mmsmoke.functional import fuse_cams, gradient_cam, normalize_cams, resize_maps
from mmsmoke.registry import MODELS

from .layers import as_map, choose_layers, token_grids


@MODELS.register_module()
class GradCAM:
    """Read maps out by Grad-CAM: activations weighted by the spatial mean of the logit's gradient.

    Works for any head, one forward and one backward pass for all classes and layers. Images must
    not interact, so the classifier has to be in eval mode, as it is in the test loop.

    Args:
        layers: indices into :func:`~mmsmoke.models.cams.layers.cam_layers` of the backbone; the
            thesis takes the last, and for fusion -5, -4, -2 and -1 of a ViT. Maps of differing
            grids are min-max normalised, as their fusion wants them, and resized to the finest.
        mode, weights: how several layers are fused, see :func:`~mmsmoke.functional.fuse_cams`.

    Example:
        >>> cam = dict(type='mmsmoke.GradCAM', layers=(-5, -4, -2, -1))
    """

    normalize = 'minmax'
    weigh = staticmethod(gradient_cam)

    def __init__(
        self,
        layers: Sequence[int] = (-1,),
        mode: str = 'mean',
        weights: Sequence[float] | None = None,
    ):
        if not layers:
            raise ValueError('layers must name one layer or more')
        self.layers = tuple(layers)
        self.fuse = partial(fuse_cams, mode=mode, weights=weights)

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        layers = choose_layers(classifier.backbone, self.layers)
        with (
            graph_from(layers) as outputs,
            token_grids(classifier.backbone) as grids,
            torch.autocast(inputs.device.type, enabled=False),
        ):
            logits, feats = look(classifier, inputs)
            activations = [outputs[layer] for layer in layers]
            gradients = class_gradients(logits, activations)
            maps = []
            for layer, activation, gradient in zip(layers, activations, gradients, strict=True):
                grid = grids.get(layer, feats[-1].shape[2:])
                place = partial(as_map, layer=layer, grid=grid)
                maps.append(self.weigh(place(activation.detach()), place(gradient, leading=2)))
        return logits.detach(), at_one_size(maps)


def look(classifier, inputs: Tensor) -> tuple[Tensor, tuple]:
    """Return logits [B, K] and what the backbone gives, by one forward pass."""
    feats = classifier.extract_feat(inputs, stage='backbone')
    return classifier.head(classifier.neck(feats) if classifier.with_neck else feats), feats


def at_one_size(maps: Sequence[Tensor]) -> Tensor:
    """Stack maps [B, K, h, w] of layers; if grids differ, normalise and resize to the finest."""
    sizes = {m.shape[2:] for m in maps}
    if len(sizes) > 1:
        finest = max(sizes, key=torch.Size.numel)
        maps = [resize_maps(normalize_cams(m), finest) for m in maps]
    return torch.stack(maps, dim=1)


@contextmanager
def graph_from(layers: Sequence[nn.Module]) -> Iterator[dict[nn.Module, Tensor]]:
    """Record the output of each layer; the autograd graph begins at the first of them that runs.

    What runs before keeps nothing for a backward pass, whatever the parameters and the grad mode
    outside, which is restored in the end.
    """
    outputs = {}

    def record(layer: nn.Module, _, output: Tensor) -> Tensor:
        if not outputs:
            output = output.detach().requires_grad_()
            torch.set_grad_enabled(True)
        outputs[layer] = output
        return output

    with torch.inference_mode(False), torch.no_grad(), ExitStack() as hooks:
        for layer in layers:
            hooks.enter_context(layer.register_forward_hook(record))
        yield outputs


def class_gradients(logits: Tensor, activations: Sequence[Tensor]) -> list[Tensor]:
    """Return gradients of all logits with respect to all activations by one backward pass.

    Args:
        logits: [B, K].
        activations: L tensors [B, ...] in the graph of the logits; others have zero gradient.

    Returns:
        L tensors [K, B, ...].
    """
    batch, classes = logits.shape
    gradients = [None] * len(activations)
    if logits.requires_grad:
        one_hot = torch.eye(classes, dtype=logits.dtype, device=logits.device)
        gradients = torch.autograd.grad(
            logits,
            activations,
            one_hot[:, None].expand(-1, batch, -1),
            is_grads_batched=True,
            allow_unused=True,
        )
    return [
        a.new_zeros(classes, *a.shape) if g is None else g
        for a, g in zip(activations, gradients, strict=True)
    ]
