import importlib.util
import json
import warnings

import numpy as np
import pytest
import torch
from label_runs import label_config, masks_of, run, scores_after

from mmsmoke.engine import CRFHook
from mmsmoke.functional import background_scores
from mmsmoke.functional.crf import dense_crf
from mmsmoke.models import DenseCRF
from mmsmoke.models.refiners import dense_crf as module
from mmsmoke.models.refiners.dense_crf import in_batches
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

HAS_PYDENSECRF = importlib.util.find_spec('pydensecrf') is not None
BACKENDS = ['torch'] + ['pydensecrf'] * HAS_PYDENSECRF


def make_sample(scores, labels=None):
    sample = WeakSegDataSample()
    sample.set_gt_score(torch.tensor(labels or [1.0] * len(scores)))
    sample.seg_scores = scores
    return sample


@pytest.fixture
def scene():
    """A disc on a dark ground, and scores that know its middle only."""
    rows, columns = np.mgrid[:40, :48]
    far = (rows - 20) ** 2 + (columns - 24) ** 2
    disc = far < 100
    image = np.where(disc[..., None], (220, 220, 230), (40, 60, 30)).astype(np.uint8)
    scores = torch.tensor(np.exp(-far / 30), dtype=torch.float32)[None]
    inputs = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)
    return image, inputs, scores, disc


@pytest.fixture
def hook():
    made = []

    def make(**settings):
        hook = CRFHook(workers=1, **settings)
        made.append(hook)
        return hook

    yield make
    for hook in made:
        hook.after_test(None)


@pytest.mark.parametrize('backend', BACKENDS)
def test_scores_grow_to_the_edge_of_the_plume(hook, scene, backend):
    _, inputs, scores, disc = scene
    refined = scores_after(hook(backend=backend), [inputs], [make_sample(scores)])[0]
    assert refined.shape == scores.shape and refined.min() >= 0 and refined.max() <= 1

    def iou(mask):
        mask = mask.numpy()[0]
        return (mask & disc).sum() / (mask | disc).sum()

    assert iou(scores > 0.3) < 0.5 and iou(refined > 0.3) > 0.95


@pytest.mark.parametrize(
    'settings, background',
    [
        (dict(), dict(power=48)),
        (dict(preset='psa'), dict(power=4)),
        (dict(preset='psa', background=dict(power=24)), dict(power=24)),
        (dict(preset='clip_es'), dict(power=1)),
        (dict(preset='deeplab'), dict(remainder=True)),
        (dict(preset='translucent'), dict(level=0.85, sharpness=20)),
        (dict(background=dict(level=0.4)), dict(level=0.4)),
        (dict(background=dict(constant=0.3)), dict(constant=0.3)),
    ],
)
def test_the_unary_is_the_preset_s(hook, scene, settings, background):
    image, inputs, scores, _ = scene
    probs = torch.cat([background_scores(scores, **background), scores])
    preset = settings.get('preset', 'thesis')
    expected = dense_crf(image, probs / probs.sum(0), preset, 'torch')[1:]
    refined = scores_after(hook(backend='torch', **settings), [inputs], [make_sample(scores)])[0]
    assert torch.allclose(refined, expected, atol=1e-5)


def test_irn_starts_from_hard_labels(hook, scene):
    image, inputs, scores, _ = scene
    certain = torch.where(scores > 0.3, 0.7, 0.3)
    expected = dense_crf(image, torch.cat([1 - certain, certain]), 'irn', 'torch')[1:]
    refined = scores_after(hook(preset='irn', backend='torch'), [inputs], [make_sample(scores)])[0]
    assert torch.allclose(refined, expected, atol=1e-5)
    # a monotone change of the scores that keeps the labels changes nothing
    bent = torch.where(scores > 0.3, 0.5 + scores / 2, scores / 2)
    again = scores_after(hook(preset='irn', backend='torch'), [inputs], [make_sample(bent)])[0]
    assert torch.equal(refined, again)


def test_absent_classes_take_no_part(hook, scene):
    _, inputs, scores, _ = scene
    three = torch.cat([torch.zeros_like(scores), scores, torch.zeros_like(scores)])
    alone = scores_after(hook(backend='torch'), [inputs], [make_sample(scores)])[0]
    among = scores_after(hook(backend='torch'), [inputs], [make_sample(three, [0.0, 1.0, 0.0])])[0]
    assert torch.equal(among[1], alone[0]) and not among[[0, 2]].any()


@pytest.mark.parametrize('size', [(1, 1), (1, 30), (31, 1), (7, 5)])
@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('half', [False, True])
def test_the_smallest_images_work(hook, size, backend, half):
    scores = torch.rand(1, *size)
    inputs = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    refined = scores_after(hook(backend=backend, half=half), [inputs], [make_sample(scores)])[0]
    assert refined.shape == scores.shape and refined.isfinite().all()


@pytest.mark.parametrize('way', [*BACKENDS, 'batches'])
def test_processes_and_batches_change_nothing(way):
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 20, 24), (2, 20, 24), (3, 20, 24), (2, 9, 11), (2, 20, 24)]
    probs = [torch.rand(shape, generator=generator).softmax(0) for shape in shapes]
    images = [
        torch.randint(0, 256, (*shape[1:], 3), dtype=torch.uint8, generator=generator).numpy()
        for shape in shapes
    ]
    backend = 'torch' if way == 'batches' else way
    many = DenseCRF(backend=backend, workers=2)
    # batches are for GPUs
    together = in_batches(many.refine, images, probs) if way == 'batches' else many(images, probs)
    many.close()
    for image, item, refined in zip(images, probs, together, strict=True):
        alone = dense_crf(image, item.numpy(), 'thesis', backend)
        assert np.abs(refined.numpy() - alone).max() < 1e-5


def test_without_pydensecrf_torch_does_it_and_says_so_once(without_pydensecrf, scene):
    _, inputs, scores, _ = scene
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        hook = CRFHook(backend='pydensecrf', workers=2)
        for _ in range(2):
            refined = scores_after(hook, [inputs] * 3, [make_sample(scores) for _ in range(3)])
    # Python 3.12 and newer also warn of forking
    said = [str(warning.message) for warning in said if warning.category is UserWarning]
    assert len(said) == 1 and 'mmsmoke[crf]' in said[0]
    by_torch = CRFHook(backend='torch')
    expected = scores_after(by_torch, [inputs] * 3, [make_sample(scores) for _ in range(3)])
    assert all(torch.equal(*pair) for pair in zip(refined, expected, strict=True))


@pytest.mark.parametrize(
    'bad, message',
    [
        (
            dict(preset='best'),
            "preset must be one of thesis, psa, irn, clip_es, deeplab, translucent, got 'best'",
        ),
        (dict(backend='cpp'), "backend must be one of pydensecrf, torch, got 'cpp'"),
        (dict(background=dict(power=1, constant=0.3)), r'background must be dict\(power=…\), '),
        (dict(background=dict(foo=1)), "or dict.remainder=True., got {'foo': 1}"),
        (dict(certainty=1.5), 'certainty must be between 0 and 1, got 1.5'),
    ],
)
def test_wrong_arguments_are_named(bad, message):
    with pytest.raises(UserError, match=message):
        CRFHook(**bad)


def test_batches_stay_small(monkeypatch):
    monkeypatch.setattr(module, 'MOST_PIXELS', 200)
    sizes = []

    def refine(pixels, probs):
        sizes.append(len(pixels))
        return probs

    shapes = [(2, 9, 10)] * 5 + [(2, 20, 20)] * 2
    probs = [torch.rand(shape) for shape in shapes]
    images = [np.zeros((*shape[1:], 3), np.uint8) for shape in shapes]
    assert all(map(torch.equal, in_batches(refine, images, probs), probs))
    assert sizes == [2, 2, 1, 1, 1]


def test_no_process_is_refused():
    with pytest.raises(UserError, match='workers must be at least 1, not 0'):
        DenseCRF(workers=0)


def manifest_settings(folder):
    return json.loads((folder / 'manifest.json').read_text())['settings']


def test_the_manifest_names_the_backend_that_ran_not_the_one_asked_for(
    tiny_dataset, tmp_path, checkpoint, without_pydensecrf
):
    cfg = label_config(tiny_dataset(splits=dict(train=3)), tmp_path, checkpoint())
    run(cfg)
    assert 'dense_crf' not in manifest_settings(tmp_path)
    cfg.test_cfg.overwrite = True
    crf_hook = dict(type='mmsmoke.CRFHook', backend='pydensecrf', workers=1)
    cfg.custom_hooks = [crf_hook, *cfg.custom_hooks]
    with pytest.warns(UserWarning, match=r"backend='torch'.*pip install 'mmsmoke\[crf\]'"):
        run(cfg)
    assert manifest_settings(tmp_path)['dense_crf'] == ['torch']


def test_torch_does_not_go_on_with_what_pydensecrf_began(
    tiny_dataset, tmp_path, checkpoint, without_pydensecrf
):
    cfg = label_config(tiny_dataset(splits=dict(train=3)), tmp_path, checkpoint())
    cfg.custom_hooks = [dict(type='mmsmoke.CRFHook', workers=1), *cfg.custom_hooks]
    with pytest.warns(UserWarning):
        run(cfg)
    began = tmp_path / 'journal/settings.json'
    began.write_text(began.read_text().replace('"torch"', '"pydensecrf"'))
    with (
        pytest.warns(UserWarning),
        pytest.raises(UserError, match=r'dense_crf\[0\]: pydensecrf -> torch'),
    ):
        run(cfg)


def test_a_label_run_with_a_crf(tiny_dataset, tmp_path, checkpoint):
    root = tiny_dataset(splits=dict(train=6))
    masks = {}
    for backend in BACKENDS:
        cfg = label_config(root, tmp_path / backend, checkpoint(), threshold=0.3)
        refiner = dict(type='mmsmoke.CRFHook', backend=backend, workers=2)
        cfg.custom_hooks = [refiner, *cfg.custom_hooks]
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        metrics, _ = run(cfg)
        assert metrics['refine/crf'] == metrics['cam/image_iou']
        assert manifest_settings(tmp_path / backend)['dense_crf'] == [backend]
        masks[backend] = masks_of(tmp_path / backend)
    assert any(mask.any() for mask in masks['torch'].values())
    for found in masks.values():
        for name, mask in found.items():
            assert (mask != masks['torch'][name]).mean() < 0.01
