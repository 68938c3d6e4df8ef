"""PAR as a refiner: in batches, by its short form, in a label run."""

import numpy as np
import pytest
import torch
from label_runs import label_config, run

from mmsmoke.engine.labelling import label_run
from mmsmoke.functional import pixel_adaptive
from mmsmoke.models import PAR, build_refiner, refine_all
from mmsmoke.utils import UserError


@pytest.fixture
def pictures():
    dice = np.random.default_rng(0)
    sizes = [(20, 24), (16, 24), (20, 24)]
    images = [dice.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    scores = [torch.rand(2, *size, generator=torch.Generator().manual_seed(1)) for size in sizes]
    return images, scores, [torch.tensor([True, True]), *[torch.tensor([True, False])] * 2]


def test_a_batch_is_its_pictures_one_by_one_as_the_function_has_them(pictures):
    refine = PAR(rounds=3)
    found = refine.batch(*pictures)
    for one, image, scores, present in zip(found, *pictures, strict=True):
        torch.testing.assert_close(one, refine(image, scores, present))
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
        smooth = pixel_adaptive(pixels, scores[None], 3)[0]
        shape = smooth / smooth.amax((1, 2), keepdim=True) * present[:, None, None]
        torch.testing.assert_close(one, shape * scores.amax((1, 2), keepdim=True))
        assert smooth.max() < one.max() <= scores.max()


def test_its_short_form_is_its_name(pictures):
    refine = build_refiner('par')
    assert isinstance(refine, PAR)
    assert refine.settings() == dict(rounds=10, dilations=[1, 2, 4, 8, 12, 24])
    refined = refine_all(refine, *pictures)
    assert not refined[1][1].any() and not torch.equal(refined[0], pictures[1][0])


@pytest.mark.parametrize('settings', [dict(rounds=0), dict(dilations=()), dict(dilations=(0, 2))])
def test_numbers_below_one_are_refused(settings):
    with pytest.raises(UserError, match='rounds and dilations must be at least 1'):
        PAR(**settings)


def test_a_label_run_refines_by_it(tiny_dataset, tmp_path, checkpoint):
    root, path = tiny_dataset(), checkpoint()
    runs = {}
    for name, refine in dict(plain=[], refined=['par']).items():
        cfg = label_run(label_config(root, tmp_path / name, path), refine)
        runs[name], _ = run(cfg)
    found = runs['refined']
    assert found['refine/cams'] == runs['plain']['refine/cams']
    assert found['refine/par'] != found['refine/cams']
