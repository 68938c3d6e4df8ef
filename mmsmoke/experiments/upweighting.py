"""Give more weight to the training images that a classifier calls wrong (JTT's first half)."""

import csv
from pathlib import Path

import torch
from mmengine.config import Config

from mmsmoke.datasets.weighted_sampler import WEIGHT
from mmsmoke.inference.predictor import batches_of, build_test_data, load_model
from mmsmoke.utils import atomic_path
from mmsmoke.utils.environment import checkpoint_record


def upweight_errors(
    cfg: Config, checkpoint: str | Path, out: str | Path, factor: float = 20, split: str = 'train'
) -> dict:
    """Write a CSV of weights: ``factor`` for an image that is called wrong, else 1.

    Returns:
        How many images were called wrong, and of those labelled with and without a class.
    """
    model = load_model(cfg, checkpoint)
    dataset = build_test_data(cfg, split=split)
    rows, wrong = [], dict(positive=0, clear=0)
    with torch.no_grad():
        for batch in batches_of(dataset, text='errors'):
            for sample in model.test_step(batch):
                mistaken = bool(((sample.pred_score > 0.5) != (sample.gt_score > 0.5)).any())
                wrong['positive' if sample.gt_score.any() else 'clear'] += mistaken
                rows.append({'image': sample.image, WEIGHT: factor if mistaken else 1})
    with atomic_path(out) as temporary, open(temporary, 'w', newline='', encoding='utf-8') as file:
        table = csv.DictWriter(file, ['image', WEIGHT], lineterminator='\n')
        table.writeheader()
        table.writerows(rows)
    return dict(
        weights=str(out),
        factor=factor,
        images=len(rows),
        wrong=wrong,
        checkpoint=checkpoint_record(checkpoint),
    )
