"""Divides images into splits so that what belongs together stays together."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from mmsmoke.utils import UserError

DAY = r'(?<!\d)20\d\d[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)'
"""Finds the day in a file name, as 2023-05-01, 2023_05_01 or 20230501."""


def split_groups(
    groups: Sequence[Hashable],
    labels: Sequence[int],
    shares: Mapping[str, float],
    seed: int = 0,
    known: Mapping[Hashable, str] | None = None,
) -> list[str]:
    """Return the split of each image; no group is in two of them.

    Groups are dealt out one by one, the largest first, each to the split that misses most of
    what it holds, counted for images with and without smoke apart.

    Args:
        groups: of each image, such as its camera and day.
        labels: 1 with smoke, 0 without.
        shares: split -> its part of the images; they need not add up to 1. One of 0 gets none.
        seed: decides between groups of one size.
        known: group -> its split, where it has one already; it counts for what others get.

    Example:
        >>> split_groups(['mon', 'mon', 'tue', 'wed'], [1, 0, 1, 0], dict(train=2, test=2))
        ['train', 'train', 'test', 'test']
    """
    if not all(0 <= share < math.inf for share in shares.values()) or not any(shares.values()):
        raise UserError(f'shares must be positive, not {list(shares.values())}')
    shares = {split: share for split, share in shares.items() if share}
    counts = defaultdict(lambda: [0, 0])
    for group, label in zip(groups, labels, strict=True):
        counts[group][label] += 1
    totals = [sum(count[label] for count in counts.values()) for label in (0, 1)]
    whole = sum(shares.values())
    missing = {
        split: [total * share / whole for total in totals] for split, share in shares.items()
    }
    known, chosen = known or {}, {}
    order = sorted(counts, key=lambda g: (g not in known, -sum(counts[g]), shuffled(g, seed)))
    for group in order:
        held = counts[group]

        def need(split: str, held=held) -> float:
            # relative, so that the rarer kind of image counts as much as the other
            return sum(
                held[k] * missing[split][k] / (totals[k] * shares[split]) for k in (0, 1) if held[k]
            )

        chosen[group] = known[group] if group in known else max(shares, key=need)
        for k in (0, 1) if chosen[group] in missing else ():
            missing[chosen[group]][k] -= held[k]
    return [chosen[group] for group in groups]


def deal_out(
    groups: Sequence[Hashable],
    labels: Sequence[int],
    shares: Sequence[float],
    seed: int = 0,
    tested: Sequence[bool] | None = None,
) -> list[str]:
    """Return train, val or test for each image; see :func:`split_groups`.

    Args:
        shares: of train, val and test.
        tested: which images are in test in any case; the others are then in train or val.
    """
    shares = dict(zip(('train', 'val', 'test'), shares, strict=True))
    if tested is None:
        return split_groups(groups, labels, shares, seed)
    del shares['test']
    rest = [k for k, fixed in enumerate(tested) if not fixed]
    chosen = split_groups([groups[k] for k in rest], [labels[k] for k in rest], shares, seed)
    split = dict(zip(rest, chosen, strict=True))
    return [split.get(k, 'test') for k in range(len(groups))]


def shuffled(name: Hashable, seed: int = 0) -> str:
    """Return a sorting key: a random order that is the same whenever and wherever it is made."""
    return hashlib.sha256(f'{seed} {name}'.encode()).hexdigest()
