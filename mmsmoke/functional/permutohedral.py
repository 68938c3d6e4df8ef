"""Filter values that lie scattered in a space of a few dimensions with a Gaussian."""

import math
import warnings
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor


class PermutohedralLattice:
    """Filter values at N points with a Gaussian of unit variance, in time linear in N.

    The method of Adams, Baek and Davis (2010), which dense CRFs rest on: each point is spread
    over the corners of the simplex around it, the corners are blurred along each axis of the
    lattice and read out again at the points. Several sets of points, such as the pixels of
    several images, share one lattice without seeing each other. Every step is a sparse matrix.

    Args:
        features: [B, N, d], scaled so that the Gaussian has unit variance.

    Example:
        >>> lattice = PermutohedralLattice(torch.randn(1, 100, 2))
        >>> lattice.filter(torch.rand(1, 100, 3)).shape
        torch.Size([1, 100, 3])
    """

    def __init__(self, features: Tensor):
        self.batch, self.points, self.dim = features.shape
        base, rank, weights = _simplices(features.reshape(-1, self.dim).float().T)
        self._index(*self._codes(base, rank), weights)

    def _codes(self, base: Tensor, rank: Tensor) -> tuple[Tensor, list[int], int]:
        """Number the corners of each simplex such that neighbours are a fixed number apart.

        Corner k of a simplex has coordinates (d + 1) c + k with integers c, of which it shares
        all with corner k - 1 but the coordinate of rank d + 1 - k, lower by one.

        Args:
            base: c of corner 0 [d, B N], whole numbers; the last coordinate follows from them.
            rank: of all coordinates [d + 1, B N].

        Returns:
            Codes [d + 1, B N]; what one more in each coordinate of c adds, and in k.
        """
        low = base.amin(1, keepdim=True) - 2  # room for corners and their neighbours
        extent = ((base - low).amax(1) + 2).long().tolist()
        *radix, whole = accumulate([1, *extent], mul)
        stride = self.batch * whole
        most = (self.dim + 1) * stride
        if most >= 2**62:
            raise ValueError('features spread too far for the lattice')
        dtype = torch.int32 if most < 2**31 else torch.int64
        codes = torch.arange(self.batch, dtype=dtype, device=base.device) * whole
        codes = codes.repeat_interleave(self.points)
        for c, step in zip((base - low).to(dtype), radix, strict=True):
            codes += step * c
        radix.append(0)
        steps = torch.tensor(radix, dtype=dtype, device=base.device)[:, None].expand_as(rank)
        steps = stride - torch.empty_like(steps).scatter_(0, rank, steps)
        return torch.stack(list(accumulate(steps[1:].flip(0), initial=codes))), radix, stride

    def _index(self, codes: Tensor, radix: list[int], stride: int, weights: Tensor) -> None:
        """Make the matrices.

        Args:
            codes, radix, stride: of the corners, see _codes.
            weights: of each corner at its point [d + 1, B N].
        """
        corners, points = codes.shape
        device = codes.device
        codes, order = codes.flatten().sort(stable=True)
        new = torch.ones_like(codes, dtype=torch.bool)
        new[1:] = codes[1:] != codes[:-1]
        starts = new.nonzero().flatten()
        used = codes[starts]
        self.size = len(used)
        number = new.cumsum(0, dtype=torch.int32) - 1
        number = torch.empty_like(number).scatter_(0, order, number).view(corners, points)
        ends = torch.arange(0, len(codes) + 1, corners, device=device)
        gain = 1 / (1 + 2.0**-self.dim)
        self.reading = _sparse(ends, number.T.flatten(), gain * weights.T.flatten(), self.size)
        ends = torch.cat([starts, ends[-1:]])
        # all corners k come before all corners k + 1
        point = order.view(corners, points) - points * torch.arange(corners, device=device)[:, None]
        self.spreading = _sparse(ends, point.flatten(), weights.flatten()[order], points)
        # and corner 0 of the next simplex follows corner d
        last, next_simplex = self.dim * stride, sum(radix) - self.dim * stride
        raised = torch.where(used < last, used + stride, used + next_simplex)
        self.blurs = [self._blur(used, raised - step) for step in radix]

    def _blur(self, used: Tensor, above: Tensor) -> Tensor:
        """Make the matrix that adds half of both neighbours along an axis to each corner.

        Args:
            used: sorted codes of the corners.
            above: codes of their upper neighbours, which may not be in use.
        """
        up = torch.searchsorted(used, above).clamp(max=self.size - 1)
        lower = (used[up] == above).nonzero().flatten()
        upper = up[lower]
        lengths = torch.ones_like(up)
        lengths[lower] += 1
        lengths[upper] += 1
        ends = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        # in each row the corner itself, then, if they are there, the upper and the lower neighbour
        columns = ends.new_empty(self.size + 2 * len(lower))
        columns[ends[:-1]] = torch.arange(self.size, device=used.device)
        columns[ends[lower] + 1] = upper
        columns[ends[upper + 1] - 1] = lower
        weights = torch.full_like(columns, 0.5, dtype=torch.float32)
        weights[ends[:-1]] = 1
        return _sparse(ends, columns, weights, self.size)

    def normalise(self) -> 'PermutohedralLattice':
        """Scale the kernel symmetrically, by the roots of what it makes of ones; return it."""
        ones = self.spreading.values().new_ones(self.batch, self.points, 1)
        norm = (self.filter(ones).flatten() + 1e-20).rsqrt()
        self.reading.values().view(len(norm), -1).mul_(norm[:, None])
        self.spreading.values().mul_(norm[self.spreading.col_indices()])
        return self

    def filter(self, values: Tensor) -> Tensor:
        """Filter [B, N, C]; a lattice of one set of points filters any number B."""
        alike = values.movedim(1, 0) if self.batch == 1 else values
        held = self.spreading @ alike.reshape(self.batch * self.points, -1).float()
        for blur in self.blurs:
            held = blur @ held
        filtered = (self.reading @ held).view(alike.shape)
        return filtered.movedim(0, 1) if self.batch == 1 else filtered


def _sparse(ends: Tensor, columns: Tensor, values: Tensor, width: int) -> Tensor:
    """Make a matrix of the places where its rows end, and what is in them."""
    with warnings.catch_warnings():  # that sparse matrices are young
        warnings.simplefilter('ignore', UserWarning)
        return torch.sparse_csr_tensor(ends.int(), columns.int(), values, (len(ends) - 1, width))


def _simplices(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the simplex around each point.

    Args:
        points: [d, N].

    Returns:
        Float [d, N], the corner whose coordinates are multiples of d + 1, over d + 1, without
        its last; long [d + 1, N], ranks of the coordinates of what is left, the largest first;
        float [d + 1, N], weights of the corners.
    """
    dim = len(points)
    scaled = [
        place * ((dim + 1) * math.sqrt(2 / 3) / math.sqrt((axis + 1) * (axis + 2)))
        for axis, place in enumerate(points)
    ]
    # into the plane of d + 1 coordinates that add up to zero
    after = list(accumulate(reversed(scaled), initial=torch.zeros_like(points[0])))[::-1]
    for axis in range(dim):
        after[axis + 1] = after[axis + 1] - (axis + 1) * scaled[axis]
    elevated = torch.stack(after)
    # the nearest corner whose coordinates are all multiples of d + 1
    base = (elevated / (dim + 1)).round()
    left = elevated - base * (dim + 1)
    rank = torch.zeros_like(base, dtype=torch.int8)
    for axis in range(dim + 1):
        rank[:axis] += left[axis] > left[:axis]
        rank[axis + 1 :] += left[axis] >= left[axis + 1 :]
    rank += base.sum(0).to(torch.int8)
    wrap = (rank < 0).to(torch.int8) - (rank > dim).to(torch.int8)
    rank = (rank + wrap * (dim + 1)).long()
    base += wrap
    ordered = torch.empty_like(left).scatter_(0, rank, elevated - base * (dim + 1)) / (dim + 1)
    lowest = 1 + ordered[-1:] - ordered[:1]
    weights = torch.cat([lowest, (ordered[:-1] - ordered[1:]).flip(0)])
    return base[:dim], rank, weights
