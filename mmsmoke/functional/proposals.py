"""Fit class regions to mask proposals, such as those of SAM, by two rules of the literature.

Proposals are kept as run lengths and never unpacked: what a rule needs of them, areas, overlaps
and unions, costs one pass over the image and one look at each run. Hundreds of proposals on a 4K
image take megabytes where masks would take gigabytes.
"""

from collections.abc import Sequence

import numpy as np

MOSTLY_INSIDE = 0.5
NEARLY_ALL = 0.85


class MaskProposals:
    """Hold P masks of one image, each as a list of run lengths.

    Args:
        size: (H, W).
        counts: for each mask the lengths of its runs, column by column: off, on, off and so on,
            beginning with off, which may have length 0. This is COCO's uncompressed RLE.

    Example:
        >>> masks = MaskProposals.from_masks([[[True, False], [True, True]]])
        >>> masks.counts, masks.areas().tolist()
        ([[0, 2, 1, 1]], [3])
    """

    def __init__(self, size: Sequence[int], counts: Sequence[Sequence[int]]):
        self.size = height, width = int(size[0]), int(size[1])
        self.counts = [list(lengths) for lengths in counts]
        runs, owners = [], []
        for index, lengths in enumerate(self.counts):
            edges = np.cumsum(np.asarray(lengths, np.int64))
            if min(lengths, default=-1) < 0 or edges[-1] != height * width:
                raise ValueError(f'run lengths of mask {index} do not fit {height} x {width}')
            on = edges[: len(edges) // 2 * 2].reshape(-1, 2)
            runs.append(on)
            owners.append(np.full(len(on), index))
        self._starts, self._ends = np.concatenate([np.empty((0, 2), np.int64), *runs]).T
        self._owners = np.concatenate([np.empty(0, np.int64), *owners])

    @classmethod
    def from_masks(cls, masks: Sequence[np.ndarray] | np.ndarray) -> 'MaskProposals':
        """Make proposals of bool [P, H, W]."""
        masks = np.asarray(masks, bool)
        return cls(masks.shape[1:], [encode_mask(mask) for mask in masks])

    def masks(self) -> np.ndarray:
        """Return all masks, bool [P, H, W]."""
        masks = [decode_mask(lengths, self.size) for lengths in self.counts]
        return np.stack(masks) if masks else np.zeros((0, *self.size), bool)

    def __len__(self) -> int:
        return len(self.counts)

    def areas(self) -> np.ndarray:
        """Count the pixels of each mask: int [P]."""
        return self._sums(self._ends - self._starts)

    def overlaps(self, region: np.ndarray) -> np.ndarray:
        """Count the pixels of each mask that lie in a region, bool [H, W]: int [P]."""
        if region.shape != self.size:
            raise ValueError(f'region {list(region.shape)} and masks {list(self.size)} do not fit')
        before = np.concatenate([[0], np.cumsum(region.ravel(order='F'))])
        return self._sums(before[self._ends] - before[self._starts])

    def union(self, keep: np.ndarray) -> np.ndarray:
        """Unite the masks that ``keep``, bool [P], selects: bool [H, W]."""
        length = self.size[0] * self.size[1] + 1
        kept = keep[self._owners]
        steps = np.bincount(self._starts[kept], minlength=length)
        steps -= np.bincount(self._ends[kept], minlength=length)
        return (np.cumsum(steps[:-1]) > 0).reshape(self.size, order='F')

    def _sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self._owners, values, len(self)).astype(np.int64)


def encode_mask(mask: np.ndarray) -> list[int]:
    """Return the run lengths of a mask, bool [H, W], as :class:`MaskProposals` has them."""
    flat = np.asarray(mask, bool).ravel(order='F')
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *lengths] if flat[:1].any() else lengths


def decode_mask(lengths: Sequence[int], size: Sequence[int]) -> np.ndarray:
    """Return the mask, bool [H, W], of run lengths."""
    on = np.arange(len(lengths)) % 2 == 1
    return np.repeat(on, lengths).reshape(size, order='F')


def thesis_rule(
    proposals: MaskProposals,
    regions: np.ndarray,
    min_iou: float = 0.4,
    max_area: float = 0.5,
    min_purity: float = 0.0,
    keep_seed: bool = True,
) -> np.ndarray:
    """Replace each region by the union of the proposals that resemble it; without any it stays.

    Args:
        regions: bool [K, H, W].
        min_iou: a proposal resembles a region if their IoU is greater.
        max_area: proposals that cover a larger share of the image than this are left out.
        min_purity: proposals of which a smaller share lies in the region are left out. Not part
            of the rule as published.
        keep_seed: add the region itself to the union, so that it only grows. The published rule
            does; without it, proposals can remove false positives too.

    Returns:
        bool [K, H, W]; classes may overlap.
    """
    areas = proposals.areas()
    eligible = areas / np.prod(proposals.size) <= max_area
    results = []
    for region in regions:
        shared = proposals.overlaps(region)
        iou = shared / np.maximum(areas + region.sum() - shared, 1)
        purity = shared / np.maximum(areas, 1)
        keep = eligible & (iou > min_iou) & (purity >= min_purity)
        union = proposals.union(keep) if keep.any() else region
        results.append(union | region if keep_seed else union)
    return np.stack(results)


def sam_wsss_rule(
    proposals: MaskProposals,
    regions: np.ndarray,
    max_area: float = 1.0,
    min_purity: float = 0.0,
) -> np.ndarray:
    """Redraw regions from proposals, by the rule ``max_iou_imp2`` of SAM_WSSS.

    A region takes each proposal of which more than 0.5 lies in it or which has at least 0.85 of
    it, unless a region before it has taken that one. Of its own pixels it keeps those that no
    proposal covers.

    Args:
        regions: bool [K, H, W].
        max_area: proposals that cover a larger share of the image than this are left out. Not
            part of the rule as published.
        min_purity: proposals that would be taken although a smaller share of them lies in the
            region are left out. Not part of the rule as published.

    Returns:
        bool [K, H, W]; classes may overlap, where proposals do.
    """
    areas = proposals.areas()
    eligible = areas / np.prod(proposals.size) <= max_area
    claimed = np.zeros(len(proposals), bool)
    results = []
    for region in regions:
        shared = proposals.overlaps(region)
        purity = shared / np.maximum(areas, 1)
        fits = (purity > MOSTLY_INSIDE) | (shared / max(region.sum(), 1) >= NEARLY_ALL)
        too_loose = fits & (purity < min_purity)
        accepted = eligible & fits & ~too_loose & ~claimed
        claimed |= accepted
        covered = proposals.union(eligible & ~too_loose)
        results.append(proposals.union(accepted) | (region & ~covered))
    return np.stack(results)


RULES = dict(thesis=thesis_rule, sam_wsss=sam_wsss_rule)
