"""Refiners are callables: refine(image, scores, present) -> scores, without any runner."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS as ROOT_MODELS
from tiny_clip import config as clip_config

from mmsmoke.functional import dense_crf
from mmsmoke.models import CRFRefiner, Refiner, build_refiner, refine_all
from mmsmoke.utils import UserError


@pytest.fixture
def pictures():
    """Discs on a dark ground, of two sizes, and scores that know their middles."""
    images, scores = [], []
    for height, width in ((40, 48), (33, 40), (40, 48)):
        rows, columns = np.mgrid[:height, :width]
        far = (rows - 20) ** 2 + (columns - 24) ** 2
        disc = far < 100
        images.append(np.where(disc[..., None], (220, 220, 230), (40, 60, 30)).astype(np.uint8))
        first = torch.tensor(np.exp(-far / 30), dtype=torch.float32)
        scores.append(torch.stack([first, torch.zeros_like(first)]))
    return images, scores, [torch.tensor([True, False])] * 3


@pytest.mark.parametrize('short', ['crf:translucent', 'crf:psa'])
def test_a_refiner_is_called_with_a_picture(pictures, short):
    refine = build_refiner(short)
    one = refine(pictures[0][0], pictures[1][0], pictures[2][0])
    assert one.shape == (2, 40, 48) and not one[1].any()
    assert one.min() >= 0 and one.max() <= 1 and not torch.equal(one, pictures[1][0])


@pytest.mark.parametrize('short', ['crf:translucent', 'crf:irn', 'par'])
def test_a_picture_that_shows_nothing_stays_as_it_is(pictures, short):
    nothing = torch.zeros(2, 40, 48)
    refined = build_refiner(short)(pictures[0][0], nothing, torch.tensor([False, False]))
    assert torch.equal(refined, nothing)


def test_clip_is_not_asked_where_nothing_is_present(pictures, tmp_path):
    refine = build_refiner(dict(type='mmsmoke.CLIPRefiner', clip=clip_config(tmp_path / 'none.pt')))
    refined = refine(pictures[0][0], pictures[1][0], torch.tensor([False, False]))
    assert refined.shape == pictures[1][0].shape and not refined.any()


def test_a_batch_is_its_pictures_one_by_one(pictures):
    refine = CRFRefiner('translucent', backend='torch')
    for one, *each in zip(refine.batch(*pictures), *pictures, strict=True):
        torch.testing.assert_close(one, refine(*each), atol=1e-4, rtol=1e-4)


def test_any_callable_refines_and_absent_classes_stay_absent(pictures):
    images, scores, present = pictures
    scores[1] = torch.zeros_like(scores[1])
    seen = []

    def louder(image, scores, present):
        seen.append(image.shape[:2])
        return scores + 0.5

    refined = refine_all(louder, images, scores, present)
    assert seen == [(40, 48), (40, 48)] and refined[1] is scores[1]
    assert torch.equal(refined[0][0], scores[0][0] + 0.5) and not refined[0][1].any()


def test_refiners_of_configs_and_callables_are_taken_as_they_are(monkeypatch):
    class Mine(Refiner):
        def __init__(self, by=1):
            self.by = by

        def __call__(self, image, scores, present):
            return scores * self.by

    monkeypatch.setitem(ROOT_MODELS.module_dict, 'Mine', Mine)
    assert build_refiner(dict(type='Mine', by=0.5)).by == 0.5
    mine = Mine()
    assert build_refiner(mine) is mine
    halves = mine.batch([None] * 2, [torch.ones(1, 2, 2)] * 2, [None] * 2)
    assert len(halves) == 2 and torch.equal(halves[0], torch.ones(1, 2, 2))


@pytest.mark.parametrize('short', ['crv', 'affinity', 'affinity:a.py', 'crf:thesis:more', 'sam'])
def test_a_short_form_that_names_none_is_refused(short):
    with pytest.raises(UserError, match=f"'{short}' names no refiner; there are crf:PRESET, aff"):
        build_refiner(short)


def test_a_short_form_passes_its_parts_on():
    refine = build_refiner('affinity:affinity/x.py:work_dirs/a.pth')
    assert (refine.model, refine.checkpoint) == ('affinity/x.py', 'work_dirs/a.pth')
    sam = build_refiner('sam:checkpoints/sam.pth:vit_b')
    assert sam.proposer.model_type == 'vit_b' and sam.cache_dir is None
    with pytest.raises(UserError, match=r"preset must be one of .*, got 'best'"):
        build_refiner('crf:best')


def test_refiners_say_what_decides_about_their_scores(tmp_path):
    settings = build_refiner('crf:translucent').settings()
    assert settings['preset'] == 'translucent' and settings['bilateral_rgb'] == 10
    assert settings['background'] == dict(level=0.85, sharpness=20) and not settings['half']
    (tmp_path / 'a.pth').write_bytes(b'weights')
    settings = build_refiner(f'affinity:affinity/x.py:{tmp_path}/a.pth').settings()
    assert settings['beta'] == 8 and len(settings['checkpoint_sha256']) == 64
    settings = build_refiner('sam:checkpoints/sam.pth:vit_b').settings()
    assert settings['rule'] == 'thesis' and settings['proposals']['points_per_side'] == 8
    assert json.loads(json.dumps(settings)) == settings


def test_the_deeplab_preset_takes_probabilities_as_they_are(pictures):
    image, (scores, *_) = pictures[0][0], pictures[1]
    probs = torch.stack([scores[0] * 0.5, scores[0] * 0.3])
    unary = torch.cat([1 - probs.sum(0, keepdim=True), probs])
    expected = dense_crf(image, unary, 'clip_es', 'torch')[1:]  # which has DeepLabV2's kernels
    refined = CRFRefiner('deeplab', 'torch')(image, probs, torch.tensor([True, True]))
    torch.testing.assert_close(refined, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('preset', ['translucent', 'psa', 'irn', 'thesis'])
def test_a_crf_treats_classes_alike_and_knows_those_that_are_there(pictures, preset):
    image, (first, _) = pictures[0][0], pictures[1][0]
    refine = CRFRefiner(preset, backend='torch')
    both, all_there = torch.stack([first, first.flip(1)]), torch.tensor([True, True])
    refined = refine(image, both, all_there)
    assert refined.shape == both.shape and all(one.any() for one in refined)
    torch.testing.assert_close(refine(image, both.flip(0), all_there), refined.flip(0))
    alone = refine(image, first[None], torch.tensor([True]))
    absent = torch.stack([first, torch.zeros_like(first)])
    torch.testing.assert_close(refine(image, absent, torch.tensor([True, False]))[0], alone[0])
