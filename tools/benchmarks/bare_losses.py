"""Compute the losses of distillers, peers and one-stage segmentors in bare PyTorch.

Each takes the model, whose networks it uses, normalised images and labels [B, K].
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmsmoke.functional import pixel_adaptive


def crossarch_loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    student, teacher = model.student, model.teacher
    features = student.backbone(inputs)[-1]
    logits = student.head.classifier(features).amax((2, 3))
    with torch.no_grad():
        target = teacher.head.class_maps(teacher.backbone(inputs))
    guess = model.projection(features)
    if target.shape != guess.shape:
        target = F.interpolate(target, guess.shape[2:], mode='bilinear', align_corners=False)
    similarity = F.cosine_similarity(guess.flatten(1), target.flatten(1))
    return F.binary_cross_entropy_with_logits(logits, labels) + (1 - similarity).mean()


def seam_loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss for a single class."""
    net, has = model.student, labels[:, :, None, None]
    resized = partial(F.interpolate, mode='bilinear', align_corners=False)
    small = resized(inputs, [round(model.ratio * side) for side in inputs.shape[2:]])

    def scaled(maps: Tensor) -> Tensor:
        maps = maps.relu()
        low, high = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
        return (maps - low - 1e-5).relu() / (high - low + 1e-5)

    cls, lowest, views = [], [], []
    for view in (inputs, small):
        affinity, features = net.backbone(view)
        maps = net.head.classifier(features)
        cls.append(F.binary_cross_entropy_with_logits(maps.mean((2, 3)), labels))
        with torch.no_grad():
            seen = maps.relu() / maps.amax((2, 3), keepdim=True).clamp(min=1e-8)
        spread = (torch.cat([1 - seen, seen], 1).flatten(2) @ affinity).unflatten(2, maps.shape[2:])
        shown = (spread[:, 1] * has[:, 0]).flatten(1)
        lowest.append(shown.sort(1).values[:, : shown.shape[1] // 4].mean())
        views.append(
            (scaled(resized(maps, small.shape[2:])) * has, resized(spread, small.shape[2:]))
        )
    (first, own), (second, other) = views
    loss = sum(cls) / 2 + sum(lowest) / 2 + (first - second).abs().mean()
    for spread, plain in ((own, second.detach()), (other, first.detach())):
        found = scaled(spread) * torch.cat([torch.ones_like(has), has], 1)
        apart = (torch.cat([1 - plain, plain], 1) - found).abs().flatten(1)[labels[:, 0] > 0.5]
        loss = loss + apart.sort(1).values[:, -int(0.2 * apart.shape[1]) :].mean()
    return loss


def acr_loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss for square grids."""
    found = []

    def attend(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        query, key, _ = output.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        found.append((query @ key.mT / query.shape[-1] ** 0.5).softmax(-1).mean(1))

    heads = model.backbone.layers[0].attn.num_heads
    hooks = [one.attn.qkv.register_forward_hook(attend) for one in model.backbone.layers]
    feats = model.backbone(torch.cat([inputs, inputs.flip(-1)]))
    for hook in hooks:
        hook.remove()
    logits = model.head.classifier(feats[0])
    loss = 2 * F.binary_cross_entropy_with_logits(logits, labels.repeat(2, 1))
    for attention in found:
        ours, theirs = attention.chunk(2)
        n = int((ours.shape[-1] - 1) ** 0.5)
        row = theirs[:, 0, 1:].unflatten(-1, (n, n)).flip(-1).flatten(1)
        pairs = theirs[:, 1:, 1:].unflatten(1, (n, n)).unflatten(3, (n, n)).flip(2, 4)
        apart = (ours[:, 0, 1:] - row).abs().mean()
        apart = apart + (ours[:, 1:, 1:] - pairs.flatten(3).flatten(1, 2)).abs().mean()
        loss = loss + model.weight / len(found) * apart
    return loss


def transcam_loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    token, maps = model.backbone(inputs)
    logits = model.head.classifier(maps).mean((2, 3)) + model.head.token_classifier(token)
    return F.binary_cross_entropy_with_logits(logits, labels)


def single_loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss for a single class, whose images with it come at odd places."""
    net = model.learner
    features = net.backbone(inputs)[-1]
    maps = net.head.classifier(features)
    loss = F.binary_cross_entropy_with_logits(maps.mean((2, 3)), labels)
    resized = partial(F.interpolate, size=inputs.shape[2:], mode='bilinear', align_corners=False)
    with torch.no_grad():
        seen = resized(maps.relu())[1::2]
        seen = seen / seen.amax((2, 3), keepdim=True)
        pictures = inputs[1::2] * net.data_preprocessor.std + net.data_preprocessor.mean
        seen = pixel_adaptive(pictures.round(), seen)[:, 0]
        seen = seen / seen.amax((1, 2), keepdim=True)
        masks = torch.zeros_like(inputs[:, 0], dtype=torch.long)
        masks[1::2] = torch.where(seen > model.labels.low, 255, 0)
        masks[1::2][seen > model.labels.high] = 1
    logits = resized(model.decode_head.conv_seg(features))
    errors = F.cross_entropy(logits, masks, ignore_index=255, reduction='none')
    halves = (
        errors[masks == value].sum() / (masks == value).sum().clamp(min=1) for value in (0, 1)
    )
    return loss + sum(halves) / 2
