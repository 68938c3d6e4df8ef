import numpy as np
import pytest
from conftest import save

from mmsmoke.datasets.checks.shortcuts import STATISTICS, image_statistics, jpeg_quality, probe


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def statistics(rng, count=400):
    return rng.normal(size=(count, len(STATISTICS)))


def test_unrelated_statistics_are_at_chance(rng):
    labels = rng.integers(0, 2, 400)
    found = probe(statistics(rng), labels, range(400))
    assert 40 < found.accuracy < 60 and found.most_telling[1] < 60


def test_a_shortcut_is_found_and_named(rng):
    values, labels = statistics(rng), rng.random(400) < 0.1
    values[:, STATISTICS.index('height')] = 100 + 10 * labels + rng.normal(size=400)
    found = probe(values, labels.astype(int), range(400))
    assert found.accuracy > 95
    assert found.most_telling[0] == 'height' and found.most_telling[1] > 95


def test_what_only_together_tells_is_found(rng):
    labels = rng.integers(0, 2, 400)
    values = statistics(rng)
    values[:, 4] = values[:, 5] + 0.3 * (2 * labels - 1)
    found = probe(values, labels, range(400))
    assert found.accuracy > 90 > 70 > found.most_telling[1]


def test_a_statistic_that_only_knows_the_group_does_not_count(rng):
    # each camera has one label and one brightness; a new camera's brightness says nothing
    groups = np.repeat(np.arange(20), 20)
    labels = np.repeat(rng.permutation([0, 1] * 10), 20)
    values = np.zeros((400, len(STATISTICS)))
    values[:, 4] = np.repeat(rng.permutation(20) * 10.0, 20)
    together = probe(values, labels, groups).accuracy
    assert together < 75 and together == probe(values, labels, groups.tolist()).accuracy


def test_constant_statistics_tell_nothing(rng):
    found = probe(np.ones((40, len(STATISTICS))), rng.integers(0, 2, 40), range(40))
    assert found.accuracy == 50 and found.most_telling == ('nothing', 50.0)


@pytest.mark.parametrize('quality', [20, 50, 75, 90])
def test_quality_of_a_jpeg(tmp_path, rng, quality):
    noise = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    path = save(tmp_path / 'a.jpg', noise, quality=quality)
    assert jpeg_quality(path) == pytest.approx(quality, abs=2)
    assert jpeg_quality(save(tmp_path / 'a.png', noise)) == 0


def test_statistics_of_an_image(tmp_path, rng):
    image = np.zeros((20, 40, 3), np.uint8)
    image[...] = (30, 20, 10)
    path = save(tmp_path / 'a.png', image)
    found = dict(zip(STATISTICS, image_statistics(path, image), strict=True))
    assert (found['width'], found['height']) == (40, 20)
    assert (found['red'], found['green'], found['blue']) == (30, 20, 10)
    assert found['contrast'] == found['sharpness'] == found['JPEG quality'] == 0
    assert found['bytes a pixel'] == path.stat().st_size / 800
    noisy = rng.integers(0, 99, image.shape).astype(np.uint8)
    assert image_statistics(path, noisy)[-1] > 1
