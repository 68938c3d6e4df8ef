"""Draw contact sheets of data sets."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmsmoke.datasets.pictures import make_palette, read_image, read_mask
from mmsmoke.datasets.table import mask_name_of, spread
from mmsmoke.utils import save_png
from mmsmoke.visualization import contact_sheet, framed

if TYPE_CHECKING:
    from mmengine.config import Config

MOST_LINES = 24


def draw_samples(
    out: str | os.PathLike,
    root: str | os.PathLike,
    rows: Sequence[Mapping],
    classes: Sequence[str] = ('smoke',),
    columns: int = 6,
    side: int = 192,
) -> None:
    """Draw a sheet with a line of images for each split and label, their masks outlined.

    Of very many combinations of labels, :data:`MOST_LINES` are drawn, evenly spread.

    Args:
        rows: of labels.csv.
    """
    lines = {}
    for row in rows:
        names = [name for name in classes if int(row[name])]
        lines.setdefault((row['split'], ', '.join(names) or 'clear'), []).append(row)
    sheet = []
    lines = sorted(lines.items(), key=lambda item: _order(*item[0]))
    for (split, label), found in [lines[k] for k in spread(len(lines), MOST_LINES)]:
        chosen = [found[k] for k in spread(len(found), columns)]
        line = [draw_row(root, row, classes, f'{split}: {label}', side) for row in chosen]
        blank = np.full_like(line[0], 255)
        sheet.append(line + [blank] * (columns - len(line)))
    save_png(out, contact_sheet(sheet, width=side))


def draw_training(
    out: str | os.PathLike,
    cfg: 'Config',
    split: str | None = None,
    images: int = 6,
    draws: int = 3,
    side: int = 192,
    seed: int = 0,
) -> None:
    """Draw images and true masks beside what the training pipeline makes of them.

    Where the training has masks to learn from, they are outlined in what it makes, too.

    Args:
        split: instead of the one that the training set has.
        draws: how often each image goes through the training pipeline.
    """
    from mmengine.registry import DATASETS

    from mmsmoke.inference.predictor import scope_of
    from mmsmoke.utils import mappings
    from mmsmoke.utils.randomness import seeded

    settings = cfg.train_dataloader.dataset
    for node in mappings(settings):
        if 'data_root' in node:
            node['split'] = split or node.get('split', 'train')
            if node['split'] != 'train':  # which alone has true masks to learn from
                node.pop('num_masks', None)
                node.pop('beside', None)
            # a split may lack a kind of image that training needs
            node['test_mode'] = not node.get('num_masks')
            node.pop('unlabelled', None)
            node.pop('at_least', None)
    sheet = []
    with scope_of(cfg):
        dataset = DATASETS.build(settings)
        classes, palette = dataset.metainfo['classes'][1:], dataset.metainfo['palette']
        for index in spread(len(dataset), images):
            info = dataset.get_data_info(index)
            root = info['img_path'].removesuffix(info['image'])
            caption = ', '.join(classes[k] for k in info['gt_label']) or 'clear'
            line = [draw_row(root, info, classes, caption, side)]
            for draw in range(draws):
                with seeded('browse', seed, index, draw):
                    item = dataset[index]
                picture = item['inputs'].numpy().transpose(1, 2, 0)[..., ::-1]
                mask = item['data_samples'].get('gt_sem_seg')
                mask = None if mask is None else mask.data[0].numpy().astype(np.uint8)
                text = f'{picture.shape[1]}x{picture.shape[0]}'
                line.append(framed(np.ascontiguousarray(picture), mask, palette, text, side))
            sheet.append(line)
    save_png(out, contact_sheet(sheet, width=side))


def draw_row(
    root: str | os.PathLike, row: Mapping, classes: Sequence[str], caption: str, side: int = 192
) -> np.ndarray:
    """Return the image of a row of labels.csv, its true mask outlined where there is one."""
    image = read_image(Path(root) / row['image'])
    mask = Path(root) / 'masks' / mask_name_of(row['image'])
    mask = read_mask(mask) if mask.is_file() else None
    return framed(image, mask, make_palette(len(classes) + 1), caption, side)


def _order(split: str, label: str) -> tuple:
    known = ('train', 'val', 'test')
    return (known.index(split) if split in known else len(known), split, label == 'clear', label)
