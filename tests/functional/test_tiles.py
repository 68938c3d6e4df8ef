import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from mmsmoke.functional import merge_tiles, tile_boxes, tile_starts, tile_weights

SIDES = [
    (length, tile, overlap)
    for length in (1, 7, 16, 17, 40, 101)
    for tile in (1, 2, 7, 16)
    for overlap in (0, 1, 2, 5, 6, 9, 15)
    if overlap < tile
]


def naive_weights(length, tile, overlap):
    """Of each pixel on its own, by how far it is from the ends that have a neighbour."""
    starts = tile_starts(length, tile, overlap)
    found = np.zeros((len(starts), length))
    for number, start in enumerate(starts):
        end = min(start + tile, length)
        for pixel in range(start, end):
            distances = []
            if start > 0:
                distances.append(pixel - start + 0.5)
            if end < length:
                distances.append(end - pixel - 0.5)
            weight = 1.0
            for distance in distances if overlap else []:
                third = overlap // 3
                weight *= min(max((distance - third) / (overlap - 2 * third), 0), 1)
            found[number, pixel] = weight
    return found / found.sum(0)


@pytest.mark.parametrize(('length', 'tile', 'overlap'), SIDES)
def test_tiles_cover_a_side_evenly_and_weigh_one_together(length, tile, overlap):
    starts = tile_starts(length, tile, overlap)
    assert starts[0] == 0 and starts[-1] == max(length - tile, 0)
    steps = [second - first for first, second in pairwise(starts)]
    assert all(0 < step <= tile - overlap for step in steps)
    assert not steps or max(steps) - min(steps) <= 1
    fewer = len(starts) - 1
    assert not fewer or tile + (fewer - 1) * (tile - overlap) < length  # one less would not do
    expected = naive_weights(length, tile, overlap)
    weights = tile_weights(length, tile, overlap).numpy()
    for start, weight, other in zip(starts, weights, expected, strict=True):
        assert weight.shape == (min(tile, length),) and weight.min() >= 0
        assert np.allclose(weight, other[start : start + tile], atol=1e-6)


def test_a_seam_becomes_a_slope_in_the_middle_third_of_the_overlap():
    first, second = tile_weights(52, 32, 12)
    assert first[:24].eq(1).all() and first[28:].eq(0).all()
    assert second[:4].eq(0).all() and second[8:].eq(1).all()
    slope = first[24:28]
    assert torch.allclose(slope, torch.tensor([0.875, 0.625, 0.375, 0.125]))


@pytest.mark.parametrize('size', [(40, 61), (16, 50), (9, 9), (50, 3)])
def test_tiles_of_a_map_make_the_map_again(size):
    maps = torch.rand(2, *size, generator=torch.Generator().manual_seed(0))
    boxes = tile_boxes(size, 16, 5)
    tiles = [maps[:, rows, columns] for rows, columns in boxes]
    assert len({tile.shape for tile in tiles}) == 1
    merged = merge_tiles(iter(tiles), size, 16, 5)
    assert torch.allclose(merged, maps, atol=1e-6)
    seen = torch.zeros(size)
    for rows, columns in boxes:
        seen[rows, columns] += 1
    assert torch.equal(merged[:, seen == 1], maps[:, seen == 1])


@pytest.mark.parametrize('overlap', [5, 6, 9])
def test_a_convolutional_network_finds_the_same_as_without_tiles(overlap):
    """Two convolutions of 3 x 3 see two pixels far: their receptive field is 5 x 5."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 3, padding=1))
    picture, size = torch.rand(1, 3, 50, 67), (50, 67)
    boxes = tile_boxes(size, 20, overlap)
    with torch.no_grad():
        whole = net(picture)[0]
        found = (net(picture[:, :, rows, columns])[0] for rows, columns in boxes)
        merged = merge_tiles(found, size, 20, overlap)
    seen = torch.zeros(size)
    for rows, columns in boxes:
        seen[rows, columns] += 1
    difference = (merged - whole).abs()
    assert difference[:, seen == 1].max() < 1e-5
    if overlap >= 6:  # the outer third that does not count is as wide as the network sees
        assert difference.max() < 1e-5


def test_one_tile_is_held_at_a_time_beside_the_last():
    alive = weakref.WeakSet()

    def maps():
        for _ in tile_boxes((64, 64), 16, 4):
            one = torch.ones(1, 16, 16)
            alive.add(one)
            yield one
            del one
            assert len(alive) <= 1

    assert torch.allclose(merge_tiles(maps(), (64, 64), 16, 4), torch.ones(1, 64, 64))


def test_tiles_that_are_missing_are_an_error():
    with pytest.raises(ValueError, match='shorter'):
        merge_tiles([torch.ones(1, 8, 8)], (8, 12), 8, 2)
