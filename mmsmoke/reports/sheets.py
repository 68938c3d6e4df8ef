"""Draw sheets of pictures that show what trained models make of an image."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.datasets.weak_seg import spread_positives
from mmsmoke.functional import scores_to_mask
from mmsmoke.inference.predictor import Predictor
from mmsmoke.utils import UserError, save_png
from mmsmoke.utils.thresholds import Value, in_order
from mmsmoke.visualization import contact_sheet, overlay_mask, overlay_scores

MOST = 5
TITLES = ('image', 'CAM', 'CAM > threshold', 'segmentor', 'truth')


def draw_examples(folder: Path, models: Sequence[Predictor], threshold: Value, split: str) -> Path:
    """Draw what each stage sees in some images of a split that hold smoke.

    The images are spread evenly over the split; the choice does not look at the results. The
    sheet is ``examples.png`` in ``folder``; each row is also a picture of its own in
    ``examples/``. Where truth is unknown its column stays blank.

    Args:
        models: the classifier and, if there is one, the segmentor.
        threshold: of maps, or that of each class by its name.
    """
    shutil.rmtree(folder / 'examples', ignore_errors=True)
    data = [model.dataset(split) for model in models]
    palette, legend = data[0].metainfo['palette'], legend_of(data[0])
    level = in_order(threshold, data[0].label_classes)
    titles = [title for title in TITLES if title != 'segmentor' or len(models) > 1]
    rows = []
    for index in spread_positives(data[0], MOST):
        found = [model(one[index]) for model, one in zip(models, data, strict=True)]
        sample = found[0]
        picture = read_image(sample.img_path)
        sample.localize()
        scores = sample.seg_scores
        masks = [scores_to_mask(scores, level)]
        masks += [one.pred_sem_seg.data[0] for one in found[1:]]
        masks.append(sample.gt_sem_seg.data[0] if 'gt_sem_seg' in sample else None)
        row = [
            picture,
            overlay_scores(picture, scores.max(0).values.numpy()),
            *(_overlay(picture, mask, palette) for mask in masks),
        ]
        rows.append(row)
        name = Path(sample.mask_name).with_suffix('').as_posix().replace('/', '_')
        save_png(folder / 'examples' / f'{name}.png', contact_sheet([row], titles, legend=legend))
    path = folder / 'examples.png'
    save_png(path, contact_sheet(rows, titles, legend=legend))
    return path


def legend_of(dataset: WeakSegDataset) -> dict[str, Sequence[int]]:
    """Return the colours of several classes by their names; of one there is nothing to tell."""
    names = dataset.label_classes
    colours = dataset.metainfo['palette'][1:]
    return dict(zip(names, colours, strict=False)) if len(names) > 1 else {}


def draw_cams(
    out: str | Path,
    results: Mapping[str, Mapping],
    split: str = 'test',
    most: int = MOST,
    width: int = 192,
) -> None:
    """Draw several classifiers' maps of the same images, with the mask that each would give.

    The images are spread evenly over those of the split that hold smoke. The outline is where the
    map exceeds the threshold that the classifier was tested with.

    Args:
        results: title of the column -> what tools/test.py wrote about the classifier.
        width: of each picture.
    """
    levels = {title: _threshold(title, result, split) for title, result in results.items()}
    if len(roots := {result['data_root'] for result in results.values()}) > 1:
        raise UserError(f'the classifiers were tested on other images: {", ".join(sorted(roots))}')
    predictors = {title: Predictor(result) for title, result in results.items()}
    data = {title: predictor.dataset(split) for title, predictor in predictors.items()}
    first = next(iter(data.values()))
    palette, legend = first.metainfo['palette'], legend_of(first)
    levels = {title: in_order(level, first.label_classes) for title, level in levels.items()}
    rows = []
    for index in spread_positives(first, most):
        row = []
        for title, predictor in predictors.items():
            sample = predictor(data[title][index])
            if not row:
                picture = read_image(sample.img_path)
                truth = sample.gt_sem_seg.data[0] if 'gt_sem_seg' in sample else None
                row += [picture, _overlay(picture, truth, palette)]
            sample.localize()
            scores = sample.seg_scores
            mask = scores_to_mask(scores, levels[title]).numpy()
            heat = overlay_scores(picture, scores.max(0).values.numpy())
            row.append(overlay_mask(heat, mask, palette, opacity=0))
        rows.append(row)
    save_png(out, contact_sheet(rows, ('image', 'truth', *results), width, legend))


def draw_masks(out: str | Path, dataset: WeakSegDataset, folders: Mapping[str, Path]) -> None:
    """Draw what several label runs made of the same images.

    The images are spread evenly over those of the data set that hold smoke.

    Args:
        folders: title of the column -> folder of masks.
    """
    palette = dataset.metainfo['palette']
    rows = []
    for index in spread_positives(dataset, MOST):
        info = dataset.get_data_info(index)
        picture = read_image(info['img_path'])
        labelled = [folder / info['mask_name'] for folder in folders.values()]
        paths = [info.get('seg_map_path'), *labelled]
        masks = [None if path is None else torch.from_numpy(read_mask(path)) for path in paths]
        rows.append([picture, *(_overlay(picture, mask, palette) for mask in masks)])
    titles = ('image', 'truth', *folders)
    save_png(out, contact_sheet(rows, titles, width=128, legend=legend_of(dataset)))


def _threshold(title: str, result: Mapping, split: str) -> Value:
    chosen = result['protocol']['threshold']
    if chosen is None:  # each split has its own
        chosen = result['splits'].get(split, {}).get('cam/threshold')
    if chosen is None:
        raise UserError(f'{title}: no threshold of maps is known for {split!r}; test it there')
    return chosen


def _overlay(picture: np.ndarray, mask: torch.Tensor | None, palette: list) -> np.ndarray:
    if mask is None:
        return np.full_like(picture, 255)
    return overlay_mask(picture, mask.numpy().astype(np.uint8), palette)
