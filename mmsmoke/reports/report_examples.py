"""Choose the examples of a report, and make pictures of what the models see in them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.datasets.weak_seg import WeakSegDataset, spread_positives
from mmsmoke.evaluation.pseudo_label_metric import ALARM
from mmsmoke.functional import image_iou, mask_counts
from mmsmoke.inference.predictor import Predictor
from mmsmoke.utils.thresholds import Value, in_order
from mmsmoke.visualization.examples_html import pack_example

HALF = 50.0


def choose_examples(images: Mapping[str, Mapping], most: int = 3) -> dict[str, str]:
    """Choose images by group: best, median, worst by IoU; false alarms, largest first; clear.

    Args:
        images: of a metric's details.
        most: of each group.
    """
    ranked = sorted((name for name in images if 'iou' in images[name]), key=_iou_in(images))
    clear = [name for name in images if not images[name]['true']]
    alarms = [name for name in clear if images[name]['predicted'] > 100 * ALARM]
    alarms.sort(key=lambda name: -images[name]['predicted'])
    quiet = [name for name in clear if name not in alarms]
    middle = max(0, (len(ranked) - most) // 2)
    groups = {
        'best': ranked[::-1][:most],
        'worst': ranked[:most],
        'median': ranked[middle : middle + most],
        'false alarm': alarms[:most],
        'clear': quiet[:: max(1, len(quiet) // most)][:most],
    }
    chosen = {}
    for group, names in groups.items():
        for name in names:
            chosen.setdefault(name, group)
    order = ['best', 'median', 'worst', 'false alarm', 'clear']
    return dict(sorted(chosen.items(), key=lambda item: order.index(item[1])))


def label_numbers(data: WeakSegDataset, masks: Path) -> dict[str, dict]:
    """Measure pseudo masks of positive images with truth, in the form of a metric's details."""
    numbers = {}
    for row in data:
        label, truth = masks / row['mask_name'], row.get('seg_map_path')
        if any(row['gt_score']) and truth and label.is_file():
            mask, truth = (torch.from_numpy(read_mask(path)) for path in (label, truth))
            counts = mask_counts(mask, truth, len(data.label_classes))
            iou = 100 * image_iou(counts[1:]).nanmean().item()
            if iou == iou:
                _, predicted, true = (100 * counts[1:].sum(0) / counts[:, 2].sum()).tolist()
                numbers[row['img_path']] = dict(iou=iou, predicted=predicted, true=true)
    return numbers


def _iou_in(images: Mapping[str, Mapping]):
    return lambda name: images[name]['iou']


def outcome_of(numbers: Mapping | None) -> str:
    """Say what became of an image, by the numbers of a metric's details."""
    if numbers is None:
        return 'truth not known'
    if numbers['true']:
        if not numbers['iou']:
            return 'missed'
        return 'found' if numbers['iou'] >= HALF else 'found in part'
    return 'false alarm' if numbers['predicted'] > 100 * ALARM else 'rightly clear'


class ExampleMaker:
    """Pack for the page what a classifier and, if there is one, a segmentor make of images.

    Args:
        models: the classifier and, if there is one, the segmentor.
        threshold: of maps, or that of each class by its name: the scores are then shown in
            proportion to these, so that one slider moves all of them.
    """

    def __init__(self, models: Sequence[Predictor], threshold: Value):
        self.models, self.threshold = models, threshold
        self.colours = {}  # of the classes of the data set that was last looked at

    def of_label_run(self, split: str | Sequence[str], masks: Path) -> list[dict]:
        """Return examples of training images, with their pseudo masks."""
        return self.of_split(
            split, label_numbers(self.models[0].dataset(split, pipeline=[]), masks), masks
        )

    def of_split(
        self, split: str | Sequence[str], images: Mapping[str, Mapping], masks: Path | None = None
    ) -> list[dict]:
        """Return examples of a split, chosen by their numbers.

        Args:
            images: of a metric's details; without any IoU, positives are taken, evenly spread.
            masks: pseudo masks, whose numbers these are; else they are those of the last model.
        """
        data = [model.dataset(split) for model in self.models]
        palette = data[0].metainfo['palette'][1:]
        self.colours = dict(zip(data[0].label_classes, palette, strict=False))
        paths = [data[0].get_data_info(index)['img_path'] for index in range(len(data[0]))]
        place = {path: index for index, path in enumerate(paths)}
        chosen = choose_examples({path: images[path] for path in images if path in place})
        if not any('iou' in images[path] for path in chosen):  # no truth to rank them by
            chosen |= {paths[index]: 'sample' for index in spread_positives(data[0], 6)}
        return [
            self._example([one[place[path]] for one in data], group, images.get(path), masks)
            for path, group in chosen.items()
        ]

    def _example(
        self, items: list[dict], group: str, numbers: Mapping | None, masks: Path | None
    ) -> dict:
        sample, *others = [model(item) for model, item in zip(self.models, items, strict=True)]
        label, says = bool(sample.present().any()), self._says(sample)
        if not label:  # as in use: only what the classifier calls
            del sample.gt_score
        sample.localize()
        mask = others[0].pred_sem_seg.data[0].numpy() if others else None
        truth = sample.gt_sem_seg.data[0].numpy() if 'gt_sem_seg' in sample else None
        label_path = masks and masks / sample.mask_name
        label_map = read_mask(label_path) if label_path and label_path.is_file() else None
        scores, best = self._seen(sample.seg_scores)
        return dict(
            name=sample.image,
            split=sample.columns['split'],
            group=group,
            outcome=outcome_of(numbers),
            says=says,
            iou=numbers.get('iou') if numbers else None,
            tested='pseudo mask' if masks else 'segmentor' if others else 'tested CAM',
            **pack_example(read_image(sample.img_path), scores, mask, truth, label_map, best),
        )

    def _says(self, sample) -> str:
        """Say which classes an image has, and how sure the classifier is of each."""
        names, percent = list(self.colours), (100 * sample.pred_scores).tolist()
        if len(names) == 1:
            return (
                f'{"smoke" if sample.present().any() else "clear"}, classifier {percent[0]:.0f} %'
            )
        pairs = zip(names, sample.present().tolist(), strict=True)
        label = ', '.join(name for name, there in pairs if there) or 'clear'
        pairs = zip(names, percent, strict=True)
        return f'{label}; classifier: ' + ', '.join(f'{name} {p:.0f} %' for name, p in pairs)

    def _seen(self, scores: Tensor) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the score of the strongest class of [K, H, W], and which that is, if several."""
        if len(scores) == 1:
            return scores[0].numpy(), None
        if isinstance(self.threshold, Mapping):
            own = scores.new_tensor(in_order(self.threshold, list(self.colours)))
            scores = (scores / own.clamp(min=1e-6)[:, None, None] * own.mean()).clamp(max=1)
        best, label = scores.max(0)
        return best.numpy(), (label + 1).numpy()
