"""Measure how much the predictions of several heads tell about each other."""

import torch
from torch import Tensor

from .precision import without_autocast

EPS = 1e-7


@without_autocast
def mutual_information(probability: Tensor) -> Tensor:
    """Return the mutual information of yes and no of two heads, a mean over pairs and classes.

    It is 0 if no head's answers over the images tell anything about another's.

    Args:
        probability: [B, M, K] of B images, M heads, K classes.
    """
    answers = torch.stack([probability, 1 - probability], -1)
    one, other = torch.triu_indices(answers.shape[1], answers.shape[1], 1, device=answers.device)
    pairs = answers[:, one, :, :, None] * answers[:, other, :, None, :]
    joint, alone = pairs.mean(0), answers.mean(0)
    apart = alone[one, :, :, None] * alone[other, :, None, :]
    ratio = joint.clamp(min=EPS).log() - apart.clamp(min=EPS).log()
    return (joint * ratio).sum((-2, -1)).mean()


@without_autocast
def divergence(probability: Tensor, prior: float) -> Tensor:
    """Return the Kullback-Leibler divergence of the mean predictions from an expected share.

    Args:
        probability: [B, M, K]; the mean is over images, and that of the divergences over the rest.
        prior: share of images that are expected to have a class.
    """
    yes = probability.mean(0).clamp(EPS, 1 - EPS)
    return (yes * (yes / prior).log() + (1 - yes) * ((1 - yes) / (1 - prior)).log()).mean()
