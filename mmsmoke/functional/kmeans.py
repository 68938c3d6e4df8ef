"""Find centres of points: k-means with the start of k-means++."""

import torch
from torch import Tensor

from .precision import without_autocast


def kmeans(
    points: Tensor, count: int, generator: torch.Generator | None = None, steps: int = 10
) -> Tensor:
    """Return the centres [k, C] of points [N, C].

    There are ``count`` of them, or fewer where there are not so many different points.

    Args:
        generator: of the CPU, wherever the points lie.
    """
    return lloyd(points, spread_start(points, count, generator), steps)


@without_autocast
def spread_start(points: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Return points far from each other to start with (k-means++).

    Each is drawn with a chance in proportion to its squared distance from those before it.
    """
    chosen, chance = [], torch.ones(len(points), dtype=torch.double)
    while len(chosen) < count and chance.any():
        chosen.append(int(torch.multinomial(chance, 1, generator=generator)))
        away = (points - points[chosen[-1]]).square().sum(1).cpu().double()
        chance = away if len(chosen) == 1 else torch.minimum(chance, away)
    return points[chosen]


@without_autocast
def lloyd(points: Tensor, centres: Tensor, steps: int = 10) -> Tensor:
    """Return centres [k, C] after some steps, each of which puts them amid their nearest points.

    A centre that is nearest to no point moves to the one that is farthest from its own centre.
    """
    for _ in range(steps if len(points) else 0):
        distance, nearest = torch.cdist(points, centres).min(1)
        sizes = torch.bincount(nearest, minlength=len(centres))
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        moved = sums / sizes.clamp(min=1)[:, None]
        empty = sizes == 0
        moved[empty] = points[distance.topk(int(empty.sum())).indices]
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres
