"""Weigh the images from which the last layer of a classifier learns again.

Labels and probabilities are [N, K] of N images and K classes; weights are, too, and sum to 1 over
the images of each class.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def true_probability(probability: Tensor, labels: Tensor) -> Tensor:
    """Return what a network gives the label that is true."""
    return torch.where(labels > 0.5, probability, 1 - probability)


def balanced(weights: Tensor, labels: Tensor) -> Tensor:
    """Return weights with which yes and no count alike, whatever their number of images."""
    yes = labels > 0.5
    scaled = torch.zeros_like(weights)
    for side in (yes, ~yes):
        mine = weights * side
        total = mine.sum(0)
        scaled += mine / torch.where(total > 0, total, torch.ones_like(total))
    return scaled / scaled.sum(0).clamp(min=1e-12)


def afr_weights(probability: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """Return AFR's weights: the less a finished network is sure of the truth, the more.

    With ``gamma`` 0 all images of a class count alike.
    """
    return balanced(torch.exp(-gamma * true_probability(probability, labels)), labels)


def self_weights(early: Tensor, late: Tensor, labels: Tensor, count: int) -> Tensor:
    """Return SELF's weights: the ``count`` images on which two states of a network disagree most.

    Args:
        early, late: probabilities by a checkpoint from early in the training, and by the last one.
    """
    return balanced(_strongest((early - late).abs(), count), labels)


def lfr_weights(probability: Tensor, labels: Tensor) -> Tensor:
    """Return LFR's weights: the images that are called wrong, and as many of the surest right ones.

    They are counted for yes and no apart.
    """
    sure = true_probability(probability, labels)
    chosen = torch.zeros_like(sure)
    for k in range(labels.shape[1]):
        for side in (labels[:, k] > 0.5, labels[:, k] <= 0.5):
            wrong = side & (sure[:, k] < 0.5)
            right = torch.where(side & ~wrong, sure[:, k], -torch.ones_like(sure[:, k]))
            most = min(int(wrong.sum()), int((right >= 0).sum()))
            chosen[wrong, k] = 1
            chosen[right.topk(most).indices, k] = 1
    return balanced(chosen, labels)


def group_weights(labels: Tensor, context: Tensor) -> Tensor:
    """Return weights with which each pair of label and companion counts alike (an oracle).

    Args:
        context: bool [N], whether an image has the companion.
    """
    weights = torch.zeros_like(labels)
    for yes in (True, False):
        for beside in (True, False):
            mine = ((labels > 0.5) == yes) & (context == beside)[:, None]
            weights += mine / mine.sum(0).clamp(min=1)
    return weights / weights.sum(0).clamp(min=1e-12)


def worst_class_accuracy(probability: Tensor, labels: Tensor) -> float:
    """Return the lowest share of right answers, of yes and of no of any class, in percent.

    It needs no groups, and tells a classifier that takes a shortcut from one that does not better
    than accuracy does (arXiv 2302.12254).
    """
    yes = labels > 0.5
    right = ((probability > 0.5) == yes).double()
    sides = [right[side[:, k], k] for k in range(labels.shape[1]) for side in (yes, ~yes)]
    return 100 * min(float(side.mean()) for side in sides if len(side))


def _strongest(values: Tensor, count: int) -> Tensor:
    chosen = torch.zeros_like(values)
    return chosen.scatter(0, values.topk(min(count, len(values)), dim=0).indices, 1)


def fit(
    head: torch.nn.Module,
    feats: Sequence[Tensor],
    labels: Tensor,
    weights: Tensor,
    pull: float = 0.0,
    lr: float = 0.02,
    steps: int = 500,
) -> list[float]:
    """Train a head on features, all images at each step; return the loss of every step.

    Args:
        head: makes logits [N, K] of ``feats``; its parameters change.
        pull: weight of their squared distance from where they were.
    """
    start = [one.detach().clone() for one in head.parameters()]
    losses = []
    for _ in range(steps):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            head(feats), labels, weights, reduction='sum'
        )
        gradients = torch.autograd.grad(loss, list(head.parameters()))
        with torch.no_grad():
            for one, old, gradient in zip(head.parameters(), start, gradients, strict=True):
                # the pull in closed form, so that no strength of it makes the steps too long
                one.copy_((one - lr * gradient + 2 * lr * pull * old) / (1 + 2 * lr * pull))
        losses.append(loss.item())
    return losses
