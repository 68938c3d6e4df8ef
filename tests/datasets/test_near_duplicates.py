from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from mmsmoke.datasets.checks.near_duplicates import (
    MOST_BITS,
    NUM_BITS,
    close_pairs,
    connected,
    perceptual_hash,
    similar_files,
)
from mmsmoke.datasets.smokestack.scenes import Smokestack


@pytest.fixture(scope='module')
def scenes():
    source = Smokestack(size=128)
    return [cv2.cvtColor(source.scene('train', i).image, cv2.COLOR_RGB2GRAY) for i in range(40)]


def bits(one, other):
    return int((perceptual_hash(one) != perceptual_hash(other)).sum())


def test_copies_are_close_and_other_pictures_are_not(scenes):
    def copy(grey):
        brighter = np.clip(1.1 * cv2.resize(grey, (90, 102)) + 5, 0, 255).astype(np.uint8)
        return cv2.imdecode(cv2.imencode('.jpg', brighter, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0)

    assert np.mean([bits(grey, copy(grey)) <= MOST_BITS for grey in scenes]) > 0.9
    others = [bits(a, b) for a, b in pairwise(scenes)]
    assert min(others) > MOST_BITS


def test_the_hash_knows_nothing_of_the_mean(scenes):
    dark = scenes[0] // 2
    assert bits(dark, dark + 60) == 0


def test_pairs_equal_those_of_a_loop():
    rng = np.random.default_rng(0)
    hashes = rng.random((60, NUM_BITS)) > 0.5
    for i in range(0, 60, 3):  # with copies of some, changed in a few bits
        hashes[i + 1] = hashes[i] ^ (rng.random(NUM_BITS) < 0.12)
    expected = {
        (i, j)
        for i in range(60)
        for j in range(i + 1, 60)
        if (hashes[i] != hashes[j]).sum() <= MOST_BITS
    }
    assert set(close_pairs(hashes)) == expected and 10 < len(expected) < 30
    assert set(close_pairs(hashes, 0)) == set()
    groups = [k % 2 for k in range(60)]
    across = {(i, j) for i, j in expected if groups[i] != groups[j]}
    assert set(close_pairs(hashes, groups=groups)) == across
    assert list(close_pairs(hashes[:0])) == []


def test_links_reach_through_others():
    assert connected(7, [(5, 6), (2, 5), (0, 3)]) == [0, 1, 2, 0, 4, 2, 2]
    assert connected(2, []) == [0, 1] and connected(0, []) == []


def test_files(tmp_path, scenes):
    blocks = np.random.default_rng(0).choice([0, 255], (4, 8)).repeat(16, 0).repeat(16, 1)
    for i in (0, 1):
        Image.fromarray(scenes[i]).save(tmp_path / f'{i}.png')
        Image.fromarray(scenes[i]).save(tmp_path / f'{i}.jpg', quality=85)
    Image.fromarray(np.vstack([blocks.astype(np.uint8), scenes[0][64:]])).save(
        tmp_path / 'below.png'
    )
    (tmp_path / 'broken.jpg').write_bytes(b'\xff\xd8 no picture')
    names = ['0.png', 'broken.jpg', '1.png', '1.jpg', 'below.png', '0.jpg', 'broken.jpg']
    paths = [tmp_path / name for name in names]
    assert similar_files(paths) == [(0, 5), (2, 3)]
    assert similar_files(paths, ('whole', 'lower')) == [(0, 4), (0, 5), (2, 3), (4, 5)]
    assert similar_files([]) == []
