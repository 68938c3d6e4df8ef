"""The end of a pipeline: its summary table and pictures of what each stage makes of an image."""

import copy
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmengine.runner import load_checkpoint
from PIL import Image

from mmsmoke.functional import cams_to_scores, scores_to_mask
from mmsmoke.utils import atomic_path
from mmsmoke.visualization import contact_sheet, overlay_mask, overlay_scores

from .launch import load_config

TITLES = ('image', 'CAM', 'pseudo mask', 'segmenter', 'truth')


def summary_rows(result: dict) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a pipeline's table, each number with the split that it is from."""
    rows = []

    def add(name: str, numbers: dict, key: str, split: str) -> None:
        if key in numbers:
            rows.append([name, split, f'{numbers[key]:.1f}'])

    classify, label, segment = result['classify'], result['label'], result['segment']
    for split, numbers in classify['splits'].items():
        add('classifier: accuracy', numbers, 'label/accuracy', split)
    for split, numbers in classify['splits'].items():
        add('CAM: foreground IoU', numbers, 'cam/image_iou', split)
    add('pseudo masks: foreground IoU', label['metrics'], 'pseudo/image_iou', label['split'])
    for split, numbers in segment['splits'].items():
        add('segmenter: foreground IoU', numbers, 'seg/image_iou', split)
    return ['what', 'split', '%'], rows


def draw_examples(
    folder: Path, classifier: dict, segmentor: dict, split: str, most: int = 8
) -> Path:
    """Images of a split that hold smoke, evenly spread, with what each stage sees in them.

    The sheet is ``examples.png`` in ``folder``; each row is also a picture of its own in
    ``examples/``. Images in mid-table of their split are as likely as good ones: the choice does
    not look at the results.
    """
    cams = _Predictor(classifier)
    masks = _Predictor(segmentor)
    threshold = classifier['protocol']['threshold']
    dataset = cams.dataset(split)
    positive = [i for i in range(len(dataset)) if any(dataset.get_data_info(i)['gt_score'])]
    chosen = np.linspace(0, len(positive) - 1, min(most, len(positive))).round().astype(int)
    segment_dataset = masks.dataset(split)
    palette, rows = dataset.metainfo['palette'], []
    for index in (positive[i] for i in chosen):
        sample = cams(dataset[index])
        picture = np.asarray(Image.open(sample.img_path).convert('RGB'))
        scores = cams_to_scores(sample.cams, picture.shape[:2], sample.present())
        pseudo = scores_to_mask(scores, threshold).cpu().numpy()
        predicted = masks(segment_dataset[index]).pred_sem_seg.data[0].cpu().numpy()
        row = [
            picture,
            overlay_scores(picture, scores.max(0).values.cpu().numpy()),
            overlay_mask(picture, pseudo, palette),
            overlay_mask(picture, predicted.astype(np.uint8), palette),
        ]
        if 'gt_sem_seg' in sample:
            truth = sample.gt_sem_seg.data[0].cpu().numpy()
            row.append(overlay_mask(picture, truth.astype(np.uint8), palette))
        rows.append(row)
        name = Path(sample.mask_name).stem
        _save(folder / 'examples' / f'{name}.png', contact_sheet([row], TITLES[: len(row)]))
    path = folder / 'examples.png'
    _save(path, contact_sheet(rows, TITLES[: len(rows[0])]))
    return path


class _Predictor:
    """A trained model of either stage and the test data as it wants them."""

    def __init__(self, result: dict):
        self.cfg: Config = load_config(result['config'])
        with _scope(self.cfg):
            self.model = MODELS.build(self.cfg.model).eval()
        load_checkpoint(self.model, result['checkpoint']['path'], map_location='cpu')

    def dataset(self, split: str):
        settings = copy.deepcopy(self.cfg.test_dataloader.dataset)
        settings.split = split
        with _scope(self.cfg):
            return DATASETS.build(settings)

    @torch.no_grad()
    def __call__(self, item: dict):
        return self.model.test_step(pseudo_collate([item]))[0]


def _scope(cfg: Config):
    return DefaultScope.overwrite_default_scope(cfg.default_scope)


def _save(path: Path, picture: np.ndarray) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary)
