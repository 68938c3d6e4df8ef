"""Draw curves of a finished pipeline, averaged over its seeds: thresholds and training."""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmsmoke.engine.loops.pseudo_label_loop import CAMS, SEGMENTOR
from mmsmoke.experiments.step import DETAILS
from mmsmoke.utils import read_json
from mmsmoke.visualization import line_chart

from .summary import runs_of, split_of, stages_of
from .sweep_tables import spread_of

VALIDATED = ('seg/image_iou', 'cam/image_iou', 'label/accuracy')
SOURCES = (CAMS, SEGMENTOR)
EVERY = 4  # of the 101 thresholds: charts need no more


def threshold_charts(chains: Sequence[Mapping], splits: Iterable[str]) -> list[str]:
    """Draw IoU over threshold, for maps, after each refiner, and for segmentors that label.

    Nothing if none is known.
    """
    found = defaultdict(list)
    for stage in stages_of(chains[0]):
        for result in runs_of(chains, stage):
            details = {} if 'curves' in result else details_of(result)
            for split in dict.fromkeys(splits):
                curves = details.get(split, {}).get('cam', {}).get('curves', {})
                found[f'{stage}, {split}'] += list(curves.values())
            for kind, curve in result.get('curves', {}).items():
                title = stage if kind in SOURCES else f'{stage}, {kind}'
                found[f'{title}, {split_of(result)}'].append(curve)
    lines = {
        name: [
            _point(index / 100, [curve[index] for curve in curves])
            for index in range(0, 101, EVERY)
        ]
        for name, curves in found.items()
        if curves
    }
    return [line_chart(lines, 'threshold', 'IoU')] if lines else []


def training_charts(chains: Sequence[Mapping]) -> list[str]:
    """Draw loss and validated metric over epochs, a line for each stage that was trained."""
    losses, scores = defaultdict(lambda: defaultdict(list)), defaultdict(lambda: defaultdict(list))
    for stage in stages_of(chains[0]):
        for result in runs_of(chains, stage):
            if 'curves' in result:  # a label run
                continue
            loss, validated = training_log(Path(result['checkpoint']['path']).parent)
            for curves, one in ((losses, loss), (scores, validated)):
                for epoch, value in one.items():
                    curves[stage][epoch].append(value)
    charts = []
    for curves, title in ((losses, 'loss'), (scores, 'validation (IoU or accuracy)')):
        lines = {
            stage: [_point(epoch, values) for epoch, values in points.items()]
            for stage, points in curves.items()
        }
        if lines:
            charts.append(line_chart(lines, 'epoch', title))
    return charts


def training_log(folder: Path) -> tuple[dict[int, float], dict[int, float]]:
    """Return, by epoch, the mean loss and the main metric of the validation.

    Of steps that were done twice, since a training was stopped between checkpoints, the later
    counts.
    """
    losses, validated = {}, {}
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        text = file.read_text(encoding='utf-8')
        for line in text[: text.rfind('\n') + 1].splitlines():  # a kill may cut the last one
            entry = json.loads(line)
            if 'loss' in entry:
                # trainings by iteration know no epoch
                losses[entry['step']] = entry.get('epoch', entry['step']), entry['loss']
            else:
                name = next((name for name in VALIDATED if name in entry), None)
                if name:
                    validated[entry['step']] = entry[name]
    by_epoch = defaultdict(list)
    for epoch, loss in losses.values():
        if math.isfinite(loss):
            by_epoch[epoch].append(loss)
    means = {epoch: statistics.mean(values) for epoch, values in by_epoch.items()}
    return means, validated


def details_of(result: Mapping) -> dict:
    """Return the details behind the numbers of a stage, by split and metric."""
    path = Path(result['config']['path']).parent / DETAILS
    return read_json(path) if path.is_file() else {}


def images_of(details: Mapping, metric: str) -> dict[str, dict]:
    """Return the numbers of each image, by its path."""
    return details.get(metric, {}).get('images', {})


def _point(x: float, values: Sequence[float]) -> tuple[float, float, float]:
    return x, statistics.mean(values), spread_of(values)
