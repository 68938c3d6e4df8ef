"""Choose which of several heads of a classifier makes its predictions and maps."""

import copy
from pathlib import Path

from mmengine.config import Config

from mmsmoke.inference.predictor import load_model
from mmsmoke.models import DiversifiedHead
from mmsmoke.utils import UserError
from mmsmoke.utils.environment import checkpoint_record

from .retraining import accuracies, look, write_head


def choose_head(cfg: Config, checkpoint: str | Path, out: str | Path) -> dict:
    """Write a checkpoint in which the head that is best on the validation images comes first.

    What counts is the accuracy of the worst class, which needs no masks. Of heads that are equally
    good the earlier one is taken.

    Returns:
        What was tried, and the number of the chosen one.
    """
    model = load_model(cfg, checkpoint)
    learner = getattr(model, 'student', model)
    if not isinstance(learner.head, DiversifiedHead):
        raise UserError(f'{type(learner.head).__name__} is a single head: nothing is to be chosen')
    seen = look(model, learner, cfg, split=cfg.val_dataloader.dataset.split)
    tried = []
    for index in range(learner.head.heads):
        head = copy.deepcopy(learner.head)
        head.put_first(index)
        tried.append((accuracies(head, seen), index, head))
    _, chosen, head = max(tried, key=lambda one: one[0]['worst_class'])
    write_head(checkpoint, out, head, 'student.' if learner is not model else '')
    return dict(
        tried=[numbers for numbers, *_ in tried],
        chosen=chosen,
        checkpoint=checkpoint_record(out),
        start=checkpoint_record(checkpoint),
    )
