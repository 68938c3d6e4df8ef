"""Choose which of several heads of a classifier makes its predictions and maps."""

from pathlib import Path

from mmengine.config import Config

from mmsmoke.inference.predictor import load_model
from mmsmoke.models import DiversifiedHead
from mmsmoke.utils import UserError

from .retraining import accuracies, look


def choose_head(cfg: Config, checkpoint: str | Path) -> dict:
    """Return how good each head is on the validation images, and which is the best.

    What counts is the accuracy of the worst class, which needs no masks. Heads that are equally
    good keep their order.
    """
    model = load_model(cfg, checkpoint)
    learner = getattr(model, 'student', model)
    head = learner.head
    if not isinstance(head, DiversifiedHead):
        raise UserError(f'{type(head).__name__} is a single head; there is nothing to choose')
    seen = look(model, learner, cfg, split=cfg.val_dataloader.dataset.split)
    tried = []
    for active in range(head.heads):
        head.active = active
        tried.append(dict(active=active, **accuracies(head, seen)))
    chosen = max(tried, key=lambda one: one['worst_class'])
    key = f'model.{"student." if learner is not model else ""}head.active'
    return dict(tried=tried, chosen=chosen, option=f'{key}={chosen["active"]}')
