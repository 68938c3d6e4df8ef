"""Test whether the label can be told without looking at what is in the picture."""

import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from mmsmoke.datasets.splitting import split_groups

STATISTICS = (
    'width', 'height', 'bytes a pixel', 'JPEG quality', 'red', 'green', 'blue', 'contrast',
    'sharpness',
)  # fmt: skip
FOLDS = 5
_RIDGE = 1e-2


@dataclass(frozen=True)
class Probe:
    """Hold the mean accuracy over images with and without the class, held out; 50 is chance.

    Attributes:
        accuracy: of all statistics together, in percent.
        most_telling: the statistic that alone does best, and its accuracy.
    """

    accuracy: float
    most_telling: tuple[str, float]


def image_statistics(path: str | os.PathLike, image: np.ndarray) -> list[float]:
    """Return the :data:`STATISTICS` of an image file and its pixels [H, W, 3] in RGB."""
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    red, green, blue = image.reshape(-1, 3).mean(0)
    sharpness = np.log1p(cv2.Laplacian(grey, cv2.CV_32F).var())
    size = os.path.getsize(path) / (width * height)
    return [width, height, size, jpeg_quality(path), red, green, blue, grey.std(), sharpness]


def jpeg_quality(path: str | os.PathLike) -> float:
    """Return the quality of a JPEG, on the usual scale up to 100; 0 if it is no JPEG."""
    with Image.open(path) as file:
        tables = getattr(file, 'quantization', None)
    if not tables:
        return 0.0
    # the standard table for brightness has the mean 57.6 at quality 50 and is scaled from there
    scale = float(np.mean(tables[min(tables)])) / 57.625 * 100
    return max(1.0, (200 - scale) / 2 if scale <= 100 else 5000 / scale)


def probe(statistics: np.ndarray, labels: Sequence[int], groups: Sequence[Hashable]) -> Probe:
    """Measure how well a linear model of the statistics [N, S] predicts the labels.

    Args:
        groups: of each image; no group is in two folds.
    """
    labels = np.asarray(labels)
    names = {str(k): 1.0 for k in range(FOLDS)}
    folds = np.array(split_groups(groups, labels.tolist(), names))
    varying = [k for k in range(statistics.shape[1]) if np.ptp(statistics[:, k])]
    alone = {k: _held_out_accuracy(statistics[:, [k]], labels, folds) for k in varying}
    best = max(alone, key=alone.get, default=None)
    telling = ('nothing', 50.0) if best is None else (STATISTICS[best], alone[best])
    return Probe(_held_out_accuracy(statistics[:, varying], labels, folds), telling)


def _held_out_accuracy(features: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> float:
    guesses = np.zeros(len(labels))
    for fold in np.unique(folds):
        out = folds == fold
        if len(np.unique(labels[~out])) == 2:
            guesses[out] = _fit(features[~out], labels[~out])(features[out]) > 0
    right = [np.mean(guesses[labels == label] == label) for label in (0, 1)]
    return 100 * float(np.mean(right))


def _fit(features: np.ndarray, labels: np.ndarray):
    """Fit a logistic regression in which both labels weigh the same."""
    from scipy.optimize import minimize

    mean, spread = features.mean(0), features.std(0) + 1e-9

    def prepare(values: np.ndarray) -> np.ndarray:
        return np.hstack([(values - mean) / spread, np.ones((len(values), 1))])

    inputs = prepare(features)
    weights = np.where(labels == 1, 0.5 / (labels == 1).sum(), 0.5 / (labels == 0).sum())
    signed = inputs * np.where(labels == 1, 1, -1)[:, None]

    def loss(solution: np.ndarray) -> float:
        errors = np.logaddexp(0, -signed @ solution)
        return weights @ errors + _RIDGE / 2 * np.square(solution[:-1]).sum()

    solution = minimize(loss, np.zeros(inputs.shape[1])).x
    return lambda values: prepare(values) @ solution
