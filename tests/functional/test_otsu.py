import pytest
import torch

from mmsmoke.functional import THRESHOLDS
from mmsmoke.functional.otsu import otsu_threshold, score_histogram


def naive_otsu(values):
    best, chosen = -1.0, None
    for threshold in THRESHOLDS:
        above, below = values[values > threshold], values[values <= threshold]
        if len(above) and len(below):
            spread = len(above) * len(below) * (above.mean() - below.mean()) ** 2
            if spread > best + 1e-9:
                best, chosen = spread, round(threshold.item(), 2)
    return chosen


@pytest.mark.parametrize('seed', range(5))
def test_it_equals_a_search_over_all_thresholds(seed):
    generator = torch.Generator().manual_seed(seed)
    # on a grid half way between thresholds, where the histogram loses nothing
    low = torch.rand(400, generator=generator) * 0.4
    high = 0.5 + torch.rand(150, generator=generator) * 0.5
    values = (torch.cat([low, high]) * 100).floor().clamp(max=99) / 100 + 0.005
    assert otsu_threshold(score_histogram(values.view(1, 10, 55))) == naive_otsu(values.double())


def test_two_levels_are_parted_between_them():
    scores = torch.full((2, 10, 10), 0.1)
    scores[1, :3] = 0.8
    threshold = otsu_threshold(score_histogram(scores))
    assert threshold == 0.1  # the lowest that parts them: only what is greater is foreground
    assert ((scores.amax(0) > threshold) == (scores.amax(0) > 0.5)).all()


def test_histograms_add_up_over_images():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(3, 2, 8, 8, generator=generator)
    together = score_histogram(images.transpose(0, 1).reshape(2, 24, 8))
    assert torch.equal(sum(score_histogram(image) for image in images), together)


def test_counts_agree_with_the_rule_of_masks():
    scores = torch.tensor([[[0.0, 0.005, 0.3, 0.31, 1.0]]])
    histogram = score_histogram(scores)
    for index, threshold in enumerate(THRESHOLDS):
        assert histogram[index + 1 :].sum() == (scores > threshold).sum()
