"""Choose which of several heads of a classifier makes its predictions and maps."""

import copy
from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

from mmsmoke.functional import image_mean_iou
from mmsmoke.inference.predictor import batches_of, build_test_data, load_model
from mmsmoke.models import DiversifiedHead
from mmsmoke.utils import UserError
from mmsmoke.utils.environment import checkpoint_record

from .retraining import accuracies_of, write_head


def choose_head(cfg: Config, checkpoint: str | Path, out: str | Path) -> dict:
    """Write a checkpoint in which the head that is best on the validation images comes first.

    What counts is how well maps fit the masks. Where there are none it is the accuracy of the worst
    class, which cannot tell heads apart that differ only about what the images do not show. Of
    heads that are equally good the earlier one is taken.

    Returns:
        What was tried, and the number of the chosen one.
    """
    model = load_model(cfg, checkpoint)
    learner = getattr(model, 'student', model)
    if not isinstance(learner.head, DiversifiedHead):
        raise UserError(f'{type(learner.head).__name__} is a single head: nothing is to be chosen')
    dataset = build_test_data(cfg, split=cfg.val_dataloader.dataset.split)
    first, tried = learner.head, []
    for index in range(first.heads):
        learner.head = copy.deepcopy(first)
        learner.head.put_first(index)
        tried.append((quality(model, dataset), index, learner.head))
    by = 'cam_iou' if 'cam_iou' in tried[0][0] else 'worst_class'
    _, chosen, head = max(tried, key=lambda one: one[0][by])
    write_head(checkpoint, out, head, 'student.' if learner is not model else '')
    return dict(
        tried=[numbers for numbers, *_ in tried],
        by=by,
        chosen=chosen,
        checkpoint=checkpoint_record(out),
        start=checkpoint_record(checkpoint),
    )


@torch.no_grad()
def quality(model: nn.Module, dataset) -> dict[str, float]:
    """Return a classifier's accuracies and, where masks are known, the IoU of its maps, in percent.

    The IoU is a mean over images and classes, at the threshold that is best for these images.
    """
    probability, labels, counts = [], [], []
    for items in batches_of(dataset, text='heads'):
        for sample in model.test_step(items):
            probability.append(sample.pred_scores.cpu())
            labels.append(sample.gt_score.cpu())
            if 'gt_sem_seg' in sample:
                sample.localize()
                sample.note_stage('cams')
                counts.append(sample.stage_counts['cams'])
    found = accuracies_of(torch.stack(probability), torch.stack(labels))
    if counts:
        iou = image_mean_iou(torch.stack(counts))[1:].nanmean(0).max()
        if not iou.isnan():
            found['cam_iou'] = 100 * float(iou)
    return found
