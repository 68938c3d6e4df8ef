"""The end of a pipeline: its summary table and pictures of what each stage makes of an image."""

import copy
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmengine.runner import load_checkpoint
from PIL import Image, ImageOps

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
    folder: Path, classifier: dict, segmentor: dict, threshold: float, split: str, most: int = 5
) -> Path:
    """What each stage sees in some images of a split that hold smoke.

    The images are spread evenly over the split; the choice does not look at the results. The
    sheet is ``examples.png`` in ``folder``; each row is also a picture of its own in
    ``examples/``. Where truth is unknown its column stays blank.
    """
    cams, masks = _Predictor(classifier), _Predictor(segmentor)
    cam_data, mask_data = cams.dataset(split), masks.dataset(split)
    palette = cam_data.metainfo['palette']
    positive = [i for i in range(len(cam_data)) if any(cam_data.get_data_info(i)['gt_score'])]
    chosen = np.linspace(0, len(positive) - 1, min(most, len(positive))).round().astype(int)
    rows = []
    for index in (positive[i] for i in chosen):
        sample = cams(cam_data[index])
        picture = np.asarray(ImageOps.exif_transpose(Image.open(sample.img_path)).convert('RGB'))
        scores = cams_to_scores(sample.cams, picture.shape[:2], sample.present())
        pseudo = scores_to_mask(scores, threshold)
        predicted = masks(mask_data[index]).pred_sem_seg.data[0]
        truth = sample.gt_sem_seg.data[0] if 'gt_sem_seg' in sample else None
        row = [
            picture,
            overlay_scores(picture, scores.max(0).values.numpy()),
            *(_overlay(picture, mask, palette) for mask in (pseudo, predicted, truth)),
        ]
        rows.append(row)
        name = Path(sample.mask_name).with_suffix('').as_posix().replace('/', '_')
        _save(folder / 'examples' / f'{name}.png', contact_sheet([row], TITLES))
    path = folder / 'examples.png'
    _save(path, contact_sheet(rows, TITLES))
    return path


def _overlay(picture: np.ndarray, mask: torch.Tensor | None, palette: list) -> np.ndarray:
    if mask is None:
        return np.full_like(picture, 255)
    return overlay_mask(picture, mask.numpy().astype(np.uint8), palette)


class _Predictor:
    """A trained model of either stage and the test data as it wants them."""

    def __init__(self, result: dict):
        self.cfg: Config = load_config(result['config']['path'])
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
