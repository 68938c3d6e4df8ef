"""Retrain the last layer of a classifier on what the layers before it see, computed once."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from torch import Tensor, nn

from mmsmoke.datasets.pictures import read_mask
from mmsmoke.functional.last_layer import (
    afr_weights,
    balanced,
    fit,
    group_weights,
    lfr_weights,
    self_weights,
    worst_class_accuracy,
)
from mmsmoke.inference.predictor import batches_of, build_test_data, load_model
from mmsmoke.models import CAMHead, CLSHead, PCMHead
from mmsmoke.utils import UserError, atomic_path
from mmsmoke.utils.checkpoints import read_checkpoint
from mmsmoke.utils.environment import checkpoint_record

GRIDS = dict(
    plain=[dict(pull=pull) for pull in (0.0, 0.1, 1.0)],
    afr=[dict(gamma=gamma, pull=pull) for gamma in (2, 6, 14) for pull in (0.0, 0.1, 1.0)],
    self=[dict(count=count, pull=pull) for count in (50, 200) for pull in (0.0, 0.1)],
    lfr=[dict(pull=pull) for pull in (0.0, 0.1, 1.0)],
    dfr=[dict(pull=pull) for pull in (0.0, 0.1, 1.0)],
)
"""Settings that are tried for each method; the best on the validation images is kept."""


class Seen(NamedTuple):
    """Hold what the layers before the head see of some images, and what their labels say.

    Attributes:
        feats: what the head takes of all images.
        labels: [N, K].
        context: bool [N], images that show the companion; of use to an oracle alone.
    """

    feats: tuple[Tensor, ...]
    labels: Tensor
    context: Tensor


def retrain_head(
    cfg: Config,
    checkpoint: str | Path,
    out: str | Path,
    method: str = 'afr',
    portion: Sequence[float] = (0.8, 1.0),
    early: str | Path | None = None,
    settings: Sequence[Mapping] | None = None,
    steps: int = 500,
    lr: float = 0.02,
) -> dict:
    """Retrain the head of a classifier, or of a distiller's student, and write a checkpoint.

    Its maps change with it, since a linear head makes them. Settings are chosen by the worst class'
    accuracy on the validation images, which needs neither masks nor groups.

    Args:
        method: ``afr``, ``self``, ``lfr``, ``plain`` (all images of a class count alike) or
            ``dfr``, an oracle that knows which images show the companion; see
            :mod:`mmsmoke.functional.last_layer`.
        portion: of the training images, those the head learns from; best those that the network
            did not learn from (``train_dataloader.dataset.portion=[0,0.8]``).
        early: for ``self``, a checkpoint from early in the training.
        settings: to be tried; by default ``GRIDS[method]``.

    Returns:
        What was tried, what was chosen, and accuracies on the validation images.
    """
    if method not in GRIDS:
        raise UserError(f'method must be one of {", ".join(GRIDS)}, got {method!r}')
    if (method == 'self') != (early is not None):
        raise UserError("method 'self', and no other, needs a checkpoint from early in training")
    model = load_model(cfg, checkpoint)
    learner = getattr(model, 'student', model)
    ours = look(model, learner, cfg, split='train', portion=tuple(portion))
    val = look(model, learner, cfg, split=cfg.val_dataloader.dataset.split)
    probability = learner.head(ours.feats).sigmoid().detach()
    first = None if early is None else _probability(load_model(cfg, early), cfg, portion)

    def weights(one: Mapping) -> Tensor:
        if method == 'afr':
            return afr_weights(probability, ours.labels, one['gamma'])
        if method == 'self':
            return self_weights(first, probability, ours.labels, one['count'])
        if method == 'lfr':
            return lfr_weights(probability, ours.labels)
        if method == 'dfr':
            return group_weights(ours.labels, ours.context)
        return balanced(torch.ones_like(ours.labels), ours.labels)

    tried = []
    for one in settings or GRIDS[method]:
        head = copy.deepcopy(learner.head).requires_grad_(True)
        fit(head, ours.feats, ours.labels, weights(one), one.get('pull', 0.0), lr, steps)
        tried.append((dict(**one, **accuracies(head, val)), head))
    best, head = max(tried, key=lambda pair: pair[0]['worst_class'])
    write_head(checkpoint, out, head, 'student.' if learner is not model else '')
    return dict(
        method=method,
        oracle=method == 'dfr',
        portion=list(portion),
        images=len(ours.labels),
        before=accuracies(learner.head, val),
        tried=[numbers for numbers, _ in tried],
        chosen=best,
        checkpoint=checkpoint_record(out),
        start=checkpoint_record(checkpoint),
    )


@torch.no_grad()
def look(model: nn.Module, learner: nn.Module, cfg: Config, **changes) -> Seen:
    """Return what a network sees of the images of a split, as its test shows them."""
    dataset = build_test_data(cfg, **changes)
    feats, labels, context = [], [], []
    for items in batches_of(dataset, text='features'):
        batch = model.data_preprocessor(items)
        feats.append(_what_the_head_takes(learner.head, learner.extract_feat(batch['inputs'])))
        labels += [sample.gt_score for sample in batch['data_samples']]
    for index in range(len(dataset)):
        path = dataset.get_data_info(index).get('context_path')
        context.append(path is not None and bool(read_mask(path).any()))
    whole = tuple(torch.cat(parts) for parts in zip(*feats, strict=True))
    return Seen(whole, torch.stack(labels).float(), torch.tensor(context))


def _what_the_head_takes(head: nn.Module, feats: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the part of features on which the logits of a linear head rest."""
    if isinstance(head, CLSHead):
        token = feats[0]
        return token, token[:, :, None, None]
    if not isinstance(head, CAMHead) or isinstance(head, PCMHead):
        raise UserError(f'{type(head).__name__} is no linear head on a map or a token')
    feats = head.pre_logits(feats)
    if head.pool is nn.functional.adaptive_avg_pool2d:  # the mean of the logits is that of the mean
        feats = feats.mean((2, 3), keepdim=True)
    return (feats,)


def _probability(model: nn.Module, cfg: Config, portion: Sequence[float]) -> Tensor:
    learner = getattr(model, 'student', model)
    seen = look(model, learner, cfg, split='train', portion=tuple(portion))
    return learner.head(seen.feats).sigmoid().detach()


@torch.no_grad()
def accuracies(head: nn.Module, seen: Seen) -> dict[str, float]:
    """Return accuracy and the worst class' accuracy of a head, in percent."""
    return accuracies_of(head(seen.feats).sigmoid(), seen.labels)


def accuracies_of(probability: Tensor, labels: Tensor) -> dict[str, float]:
    """Return the same of probabilities [N, K]."""
    right = (probability > 0.5) == (labels > 0.5)
    return dict(
        accuracy=100 * float(right.double().mean()),
        worst_class=worst_class_accuracy(probability, labels),
    )


def write_head(checkpoint: str | Path, out: str | Path, head: nn.Module, prefix: str) -> None:
    """Write a checkpoint with another head of the same shape, whose names have this prefix."""
    content = read_checkpoint(checkpoint)
    for name, value in head.state_dict().items():
        content['state_dict'][f'{prefix}head.{name}'] = value
    kept = {key: content[key] for key in ('meta', 'state_dict') if key in content}
    with atomic_path(out) as temporary:
        torch.save(kept, temporary)
