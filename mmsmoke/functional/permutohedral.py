"""Gaussian filtering of values that lie scattered in a space of a few dimensions."""

import math
import warnings

import torch
from torch import Tensor


class PermutohedralLattice:
    """Filters values at N points with a Gaussian of unit variance, in time linear in N.

    The method of Adams, Baek and Davis (2010), which dense CRFs rest on: each point is spread
    over the corners of the simplex around it, the corners are blurred along each axis of the
    lattice and read out again at the points. Several sets of points, such as the pixels of
    several images, share one lattice without seeing each other.

    Args:
        features: [B, N, d], scaled so that the Gaussian has unit variance.

    Example:
        >>> lattice = PermutohedralLattice(torch.randn(1, 100, 2))
        >>> lattice.filter(torch.rand(1, 100, 3)).shape
        torch.Size([1, 100, 3])
    """

    def __init__(self, features: Tensor):
        self.batch, self.points, self.dim = features.shape
        corners, weights = _simplices(features.reshape(-1, self.dim).float())
        self._index(corners, weights)

    def _index(self, corners: Tensor, weights: Tensor) -> None:
        """Numbers the corners in use, finds their neighbours, and notes who touches which.

        Args:
            corners: integer coordinates [B N, d + 1, d].
            weights: of each corner at its point [B N, d + 1].
        """
        dim, device = self.dim, corners.device
        low = corners.amin((0, 1)) - dim - 1
        extent = corners.amax((0, 1)) + dim + 2 - low
        radix = torch.ones(dim, dtype=torch.long, device=device)
        radix[1:] = extent[:-1].cumprod(0)
        whole = int(radix[-1] * extent[-1])
        if whole * self.batch >= 2**62:
            raise ValueError('features spread too far for the lattice')
        image = torch.arange(self.batch, device=device).repeat_interleave(self.points)
        codes = ((corners - low) * radix).sum(-1) + image[:, None] * whole
        codes, order = codes.flatten().sort()
        first = torch.ones_like(codes, dtype=torch.bool)
        first[1:] = codes[1:] != codes[:-1]
        used = codes[first]
        self.size = len(used)
        places = torch.empty_like(order).scatter_(0, order, first.cumsum(0) - 1)

        steps = (dim + 1) * torch.cat([radix, radix.new_zeros(1)]) - radix.sum()
        self.neighbours = [
            (self._find(used, used + step), self._find(used, used - step)) for step in steps
        ]
        count, weights = len(image), weights.flatten()
        rows = torch.arange(0, len(places) + 1, dim + 1, device=device)
        ends = torch.cat([first.nonzero().flatten(), rows[-1:]])
        with warnings.catch_warnings():  # that sparse matrices are young
            warnings.simplefilter('ignore', UserWarning)
            self.reading = torch.sparse_csr_tensor(rows, places, weights, (count, self.size))
            self.spreading = torch.sparse_csr_tensor(
                ends, order // (dim + 1), weights[order], (self.size, count)
            )

    def _find(self, used: Tensor, wanted: Tensor) -> Tensor:
        """Numbers of the corners with these codes; that of nobody, ``size``, if not in use."""
        place = torch.searchsorted(used, wanted).clamp(max=self.size - 1)
        return torch.where(used[place] == wanted, place, self.size)

    def filter(self, values: Tensor) -> Tensor:
        """[B, N, C] to [B, N, C]."""
        flat = values.reshape(-1, values.shape[-1]).float()
        held = self.spreading @ flat
        nobody = held.new_zeros(1, held.shape[1])
        for up, down in self.neighbours:
            padded = torch.cat([held, nobody])
            held = held + 0.5 * (padded[up] + padded[down])
        gain = 1 / (1 + 2.0**-self.dim)
        return (gain * (self.reading @ held)).view_as(values)


def _simplices(points: Tensor) -> tuple[Tensor, Tensor]:
    """The d + 1 corners around each point, without their last coordinate, and their weights.

    Args:
        points: [N, d].

    Returns:
        long [N, d + 1, d] and float [N, d + 1].
    """
    count, dim = points.shape
    axes = torch.arange(dim, device=points.device)
    scaled = points * (dim + 1) * math.sqrt(2 / 3) / ((axes + 1) * (axes + 2)).sqrt()
    # into the plane of d + 1 coordinates that add up to zero
    after = scaled.flip(1).cumsum(1).flip(1)
    after = torch.cat([after, after.new_zeros(count, 1)], 1)
    elevated = after.clone()
    elevated[:, 1:] -= (axes + 1) * scaled
    # the nearest corner whose coordinates are all multiples of d + 1
    base = (elevated / (dim + 1)).round() * (dim + 1)
    excess = (base.sum(1, keepdim=True) / (dim + 1)).round().long()
    order = (elevated - base).argsort(dim=1, descending=True, stable=True)
    rank = torch.empty_like(order).scatter_(
        1, order, torch.arange(dim + 1, device=points.device).expand(count, -1)
    )
    rank += excess
    wrap = (rank < 0).long() - (rank > dim).long()
    rank += wrap * (dim + 1)
    base = base.long() + wrap * (dim + 1)

    offsets = (elevated - base) / (dim + 1)
    weights = elevated.new_zeros(count, dim + 2)
    weights.scatter_add_(1, dim - rank, offsets)
    weights.scatter_add_(1, dim + 1 - rank, -offsets)
    weights[:, 0] += 1 + weights[:, dim + 1]
    # corner k is k further up, except in the k coordinates that are furthest up already
    k = torch.arange(dim + 1, device=points.device)
    shift = torch.where(k[None] <= dim - k[:, None], k[:, None], k[:, None] - dim - 1)
    corners = base[:, None] + shift[:, rank].transpose(0, 1)
    return corners[..., :dim], weights[:, : dim + 1]
