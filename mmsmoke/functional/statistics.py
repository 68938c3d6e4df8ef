"""Tell how sure a number is: intervals over images, tests over seeds."""

import statistics
from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor


def bootstrap_interval(
    totals: Tensor,
    groups: Sequence[Hashable],
    statistic: Callable[[Tensor], Tensor],
    samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of a statistic of sums, by a percentile bootstrap of whole groups.

    Frames of one video are no independent images: the interval over images would be too narrow.

    Args:
        totals: [N, ...] of N images, such as pixel counts.
        groups: of each image.
        statistic: makes [B] of B sums [B, ...].

    Returns:
        Lower and upper end; nan for fewer than two groups.
    """
    places = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    if len(places) < 2:
        return float('nan'), float('nan')
    index = torch.tensor([places[group] for group in groups])
    totals = totals.cpu()  # where the dice are
    sums = totals.new_zeros((len(places), *totals.shape[1:]), dtype=torch.double)
    sums.index_add_(0, index, totals.double())
    generator = torch.Generator().manual_seed(seed)
    at_once = max(1, 2_000_000 // len(places))  # so that the weights stay small
    values = []
    for start in range(0, samples, at_once):
        shape = min(at_once, samples - start), len(places)
        drawn = torch.randint(len(places), shape, generator=generator)
        weights = sums.new_zeros(shape).scatter_add_(1, drawn, sums.new_ones(shape))
        values.append(statistic(torch.tensordot(weights, sums, dims=1)))
    tail = (1 - confidence) / 2
    ends = torch.cat(values).nanquantile(sums.new_tensor([tail, 1 - tail]))
    return tuple(ends.tolist())


def paired_test(differences: Sequence[float]) -> float:
    """Return the two-sided p of the paired t-test: how often chance gives a mean so far from 0.

    Nan for fewer than two differences, 0 or 1 for equal ones.
    """
    if len(differences) < 2:
        return float('nan')
    largest = max(map(abs, differences))
    if max(differences) - min(differences) <= 1e-9 * largest:  # equal but for rounding
        return 0.0 if largest else 1.0
    from scipy.stats import ttest_1samp  # half a second to import

    return float(ttest_1samp(differences, 0).pvalue)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of the mean by Student's t; nan for fewer than two values."""
    if len(values) < 2:
        return float('nan'), float('nan')
    from scipy.stats import t  # half a second to import

    mean = statistics.mean(values)
    half = statistics.stdev(values) / len(values) ** 0.5
    half *= float(t.ppf((1 + confidence) / 2, len(values) - 1))
    return mean - half, mean + half


def holm(values: Sequence[float]) -> list[float]:
    """Correct the p-values of several tests so that any false alarm is as rare as with one.

    Nan stays and counts for nothing.
    """
    known = sorted((value, place) for place, value in enumerate(values) if value == value)
    corrected, highest = list(values), 0.0
    for rank, (value, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * value))
        corrected[place] = highest
    return corrected
