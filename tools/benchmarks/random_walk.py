"""Measure the sparse random walk against powers of the dense transition matrix.

Both start from the same random affinities and scores; the dense way squares the matrix of all
pixels by all pixels log_t times, as PSA's code does, building it is part of either way. Both are
timed in turns in one process, after one round that is not counted and shows that they agree. The
number of threads is torch's (OMP_NUM_THREADS).
"""

import torch
import torch.nn.functional as F
from benchmark import difference, options, positive, report, seconds_in_turns
from torch import Tensor

from mmsmoke.functional import pair_offsets, random_walk
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text

TOLERANCE = 1e-4
BYTES = 4  # of a float32, and of an index of the sparse matrix


@user_errors_as_text
@torch.no_grad()
def main() -> None:
    parser = options(__doc__, repeats=1)
    parser.add_argument('--grid', type=positive, default=56, help='side of the grid')
    parser.add_argument('--classes', type=positive, default=1, help='classes beside the background')
    parser.add_argument('--radius', type=float, default=5, help='of the pairs')
    parser.add_argument('--beta', type=float, default=8, help='power of the affinities')
    parser.add_argument('--log-t', type=int, default=8, help='2 ** log_t steps')
    args = parser.parse_args()
    if args.radius <= 1 or args.log_t < 0:
        raise UserError('radius must be above 1, log-t not negative')
    torch.manual_seed(0)
    scores = torch.rand(1, args.classes + 1, args.grid, args.grid)
    # exp(-d) of distances d as a trained network's: small ones are many
    affinity = (-(torch.rand(1, len(pair_offsets(args.radius)), args.grid, args.grid) ** 2)).exp()
    walk = dict(radius=args.radius, beta=args.beta, log_t=args.log_t)

    ways = (
        lambda: random_walk(scores, affinity, **walk),
        lambda: dense_walk(scores, affinity, **walk),
    )
    first, second = (way() for way in ways)
    apart = difference(first, second, TOLERANCE, 'the two ways')
    sparse, dense = seconds_in_turns(ways, args.repeats)
    entries = int((transition(affinity[0], args.radius, args.beta) > 0).sum())
    pixels = args.grid**2
    row = {
        'grid': f'{args.grid}x{args.grid}',
        'channels': args.classes + 1,
        'radius': args.radius,
        'steps': 2**args.log_t,
        'threads': torch.get_num_threads(),
        'sparse, ms': round(1000 * sparse, 1),
        'dense, ms': round(1000 * dense, 1),
        'ratio': round(dense / sparse, 1),
        'sparse matrix, MB': round(BYTES * (2 * entries + pixels + 1) / 1e6, 2),
        'dense matrix, MB': round(BYTES * pixels**2 / 1e6, 2),
        'largest difference': f'{apart:.0e}',
    }
    report([row], args.out)


def dense_walk(scores: Tensor, affinity: Tensor, radius: float, beta: float, log_t: int) -> Tensor:
    """[1, C, h, w] like random_walk's, by a dense matrix [N, N] and its squares."""
    matrix = transition(affinity[0], radius, beta)
    for _ in range(log_t):
        matrix = matrix @ matrix
    return (scores[0].flatten(1) @ matrix).view(scores.shape)


def transition(affinity: Tensor, radius: float, beta: float) -> Tensor:
    """T [N, N], whose columns sum to one, from the affinities [P, h, w] of one image."""
    _, height, width = affinity.shape
    reach = int(radius) + 1
    number = F.pad(
        torch.arange(height * width).view(height, width), (reach, reach, 0, reach), value=-1
    )
    matrix = torch.eye(height * width)
    for values, (dy, dx) in zip(affinity, pair_offsets(radius), strict=True):
        other = number[dy : dy + height, reach + dx : reach + dx + width].flatten()
        first = (other >= 0).nonzero().flatten()
        second, power = other[first], values.flatten()[first] ** beta
        matrix[first, second] = matrix[second, first] = power
    return matrix / matrix.sum(0, keepdim=True)


if __name__ == '__main__':
    main()
