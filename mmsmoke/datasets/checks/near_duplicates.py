"""Finds pictures that show the same, by a perceptual hash of each."""

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial

import cv2
import numpy as np
from PIL import Image

from mmsmoke.utils.threads import in_threads

_SIDE, _FREQUENCIES = 64, 12
NUM_BITS = _FREQUENCIES**2 - 1
MOST_BITS = 20
"""Pictures that differ in so many bits or fewer count as the same."""


def perceptual_hash(grey: np.ndarray) -> np.ndarray:
    """Hash a picture: which of its lowest frequencies lie above their median.

    Changes of size, compression, brightness and contrast leave most of it as it is.

    Args:
        grey: uint8 [H, W].

    Returns:
        bool [NUM_BITS].
    """
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:_FREQUENCIES, :_FREQUENCIES].ravel()[1:]  # without the mean
    return low > np.median(low)


def similar_files(
    paths: Sequence[str | os.PathLike],
    parts: Sequence[str] = ('whole',),
) -> list[tuple[int, int]]:
    """List pairs (i, j), i < j, of image files that look alike; none that cannot be read.

    Args:
        parts: ``whole`` or ``lower``; it is enough to be alike in one of them.
    """
    found = in_threads(partial(_hashes_of_file, parts=parts), paths, 'comparing')
    readable = [index for index, hashes in enumerate(found) if hashes is not None]
    pairs = set()
    for k in range(len(parts)):
        hashes = np.array([found[index][k] for index in readable], bool).reshape(-1, NUM_BITS)
        pairs |= {(readable[i], readable[j]) for i, j in close_pairs(hashes)}
    return sorted(pairs)


def _hashes_of_file(path: str | os.PathLike, parts: Sequence[str]) -> list[np.ndarray] | None:
    try:
        with Image.open(path) as file:
            file.draft('L', (4 * _SIDE, 4 * _SIDE))  # a JPEG is decoded at a fraction of its size
            grey = np.asarray(file.convert('L'))
    except Exception:  # a reader of pictures may raise anything
        return None
    first_line = dict(whole=0, lower=len(grey) // 2)
    return [perceptual_hash(grey[first_line[part] :]) for part in parts]


def close_pairs(
    hashes: np.ndarray, most: int = MOST_BITS, groups: Sequence[Hashable] | None = None
) -> Iterator[tuple[int, int]]:
    """List pairs (i, j), i < j, whose hashes differ in at most so many bits.

    Args:
        hashes: bool [N, NUM_BITS].
        groups: of each; pairs within a group are left out.
    """
    signs = np.where(hashes, 1, -1).astype(np.float32)
    group = None if groups is None else np.unique(groups, return_inverse=True)[1]
    lines = max(1, 2**24 // max(len(signs), 1))  # a block of at most 64 MB
    for start in range(0, len(signs), lines):
        rest = signs[start:]
        block = rest[:lines]
        close = (NUM_BITS - block @ rest.T) / 2 <= most
        close &= np.arange(len(block))[:, None] < np.arange(len(rest))
        if group is not None:
            close &= group[start : start + lines, None] != group[start:]
        for i, j in np.argwhere(close) + start:
            yield int(i), int(j)


def connected(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return, for each of ``count`` items, the first that it is linked to, also through others.

    Example:
        >>> connected(5, [(1, 3), (3, 4)])
        [0, 1, 2, 1, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = np.array(list(pairs), int).reshape(-1, 2).T
    graph = coo_array((np.ones(links.shape[1]), tuple(links)), (count, count))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component].tolist()
