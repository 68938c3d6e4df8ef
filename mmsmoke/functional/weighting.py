"""Weigh the activations of a layer by the gradients of logits: one function for each method.

Methods take activations [B, C, h, w] and gradients [K, B, C, h, w], those of K logits with respect
to the activations, and return signed maps [B, K, h, w].
"""

import torch
from torch import Tensor

from .precision import without_autocast


@without_autocast
def gradient_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Weigh each channel by the spatial mean of its gradient (Grad-CAM, arXiv 1610.02391)."""
    return weigh_channels(gradient.mean((-2, -1)), activation)


@without_autocast
def gradient_cam_plus_plus(activation: Tensor, gradient: Tensor, eps: float = 1e-6) -> Tensor:
    """Weigh each channel by the sum of its positive gradients g, each times a share of its own.

    The share is g^2 / (2 g^2 + g^3 * (sum of the channel's activations) + eps), equation 19 of
    Grad-CAM++ (arXiv 1710.11063) with the usual margin: several small regions that speak for a
    class count as much as one large region. Gradients far below the root of ``eps``, those of a
    logit that pools many positions, have a share near 0 in place of 1/2, so that strong ones count
    for more. The formula is made for activations that are not negative, such as those of a CNN's
    stage: a negative sum can bring the divisor near zero.
    """
    total = activation.sum((-2, -1), keepdim=True)
    square = gradient.square()
    share = square / (square * (2 + total * gradient) + eps)
    return weigh_channels((gradient.relu() * share).sum((-2, -1)), activation)


@without_autocast
def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Weigh each position of each channel by its own positive gradient (LayerCAM, TIP 2021)."""
    return torch.einsum('kbchw,bchw->bkhw', gradient.relu(), activation)


@without_autocast
def weigh_channels(weights: Tensor, activation: Tensor) -> Tensor:
    """Add up channels [B, C, h, w] with weights [K, B, C] of K classes."""
    return torch.einsum('kbc,bchw->bkhw', weights, activation)
