"""Trained models, looked at image by image."""

import copy
from collections.abc import Mapping

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmengine.runner import load_checkpoint

from mmsmoke.datasets.table import spread

from .launch import load_config


class Predictor:
    """A trained model of either stage and the test data as it wants them.

    Args:
        result: what tools/test.py wrote about the model.
    """

    def __init__(self, result: Mapping):
        self.cfg: Config = load_config(result['config']['path'])
        with self._scope():
            self.model = MODELS.build(self.cfg.model).eval()
        load_checkpoint(self.model, result['checkpoint']['path'], map_location='cpu')

    def dataset(self, split: str):
        settings = copy.deepcopy(self.cfg.test_dataloader.dataset)
        settings.split = split
        with self._scope():
            return DATASETS.build(settings)

    @torch.no_grad()
    def __call__(self, item: dict):
        return self.model.test_step(pseudo_collate([item]))[0]

    def _scope(self):
        return DefaultScope.overwrite_default_scope(self.cfg.default_scope)


def spread_positives(dataset, most: int) -> list[int]:
    """Indices of images that hold a class, evenly spread; the choice does not look at results."""
    positive = [i for i in range(len(dataset)) if any(dataset.get_data_info(i)['gt_score'])]
    return [positive[place] for place in spread(len(positive), most)]
