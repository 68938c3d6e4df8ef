import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from mmengine.dataset import DefaultSampler

from mmsmoke.registry import DATA_SAMPLERS
from mmsmoke.utils import DataError, UserError

WEIGHT = 'weight'


@DATA_SAMPLERS.register_module()
class WeightedSampler(DefaultSampler):
    """Show images in proportion to their weights; an epoch is as long as without any.

    It is as long, too, if the data set leaves images of its split out (its ``beside``), so that
    trainings with few masks and with many have as many steps.

    In an epoch of N images, one with the share p of all weights comes ``floor(N p)`` or one time
    more, by lot. Which, and in which order, depends on seed and epoch alone, so that processes
    share an epoch out, and a resumed training goes on as it would have.

    Args:
        dataset: of ours, or a wrapper of one.
        weights: CSV file with the columns ``image`` and ``weight``, as tools/upweight_errors.py
            writes it; images that it does not name weigh 1. By default the weights are those of
            the column ``weight`` of labels.csv; with ``weights=False`` all are 1.
        true_masks: how often an image with a true mask comes for once that another one of the same
            weight does; see ``num_masks`` of :class:`~mmsmoke.datasets.WeakSegDataset`. With it,
            images weigh 1 where there is neither a file nor a column.
        seed: as in mmengine's DefaultSampler.
    """

    def __init__(
        self,
        dataset,
        weights: str | bool | None = None,
        true_masks: float | None = None,
        seed: int | None = None,
    ):
        super().__init__(dataset, shuffle=True, seed=seed)
        rows = [dataset.get_data_info(index) for index in range(len(dataset))]
        if length := getattr(dataset, 'epoch_length', None):
            self.num_samples = math.ceil(length / self.world_size)
            self.total_size = self.num_samples * self.world_size
        has_column = any(WEIGHT in row['columns'] for row in rows)
        if weights is False or (weights is None and true_masks is not None and not has_column):
            found = [1.0] * len(rows)
        else:
            found = _read(weights, rows)
        if true_masks is not None:
            times = _number(true_masks, 'true_masks')
            if any('true_mask' not in row for row in rows):
                raise DataError('true_masks weighs true masks, but the data set has no num_masks')
            pairs = zip(found, rows, strict=True)
            found = [weight * (times if row['true_mask'] else 1) for weight, row in pairs]
        if not any(found):
            raise DataError(f'all {len(found)} images weigh 0')
        self.weights = torch.tensor(found, dtype=torch.double)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        drawn = draw(self.weights, self.total_size, generator)
        yield from drawn[self.rank : self.total_size : self.world_size].tolist()


def draw(weights: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """Return ``count`` indices in random order, each floor or ceil of ``count * share`` times."""
    places = torch.randperm(len(weights), generator=generator)
    ends = (weights[places] / weights.sum()).cumsum(0) * count
    start = torch.rand(1, generator=generator, dtype=torch.double)
    found = torch.searchsorted(ends, start + torch.arange(count, dtype=torch.double), right=True)
    chosen = places[found.clamp(max=len(weights) - 1)]
    return chosen[torch.randperm(count, generator=generator)]


def _read(file: str | None, rows: Sequence[dict]) -> list[float]:
    if file is None:
        if any(WEIGHT not in row['columns'] for row in rows):
            raise DataError(f'labels.csv has no column {WEIGHT!r}; name a file of weights')
        known = {row['image']: row['columns'][WEIGHT] for row in rows}
    else:
        if not Path(file).is_file():
            raise UserError(f'{file}, the file of weights, not found')
        with open(file, newline='', encoding='utf-8-sig') as lines:
            table = csv.DictReader(lines)
            if not {'image', WEIGHT} <= {*(table.fieldnames or ())}:
                raise DataError(f'{file} must have the columns image and {WEIGHT}')
            known = {line['image']: line[WEIGHT] for line in table}
    return [_number(known.get(row['image'], 1), row['image']) for row in rows]


def _number(value: str | float | None, image: str) -> float:
    try:
        weight = float(value)
    except (TypeError, ValueError):  # None in a row that is too short
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise DataError(f'{image}: a weight is a number of at least 0, not {value!r}')
    return weight
