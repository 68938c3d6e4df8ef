import json
import sys

import numpy as np
import pytest
import torch
from label_runs import PIPELINE, label_config, masks_of, run, scores_after
from tiny_clip import config, save_tiny_clip

from mmsmoke.engine import CLIPHook
from mmsmoke.functional import fuse_cams, scores_to_mask
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

TWO = ('smoke', 'fire')


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    return save_tiny_clip(tmp_path_factory.mktemp('clip') / 'tiny.pt')


@pytest.fixture
def labelled(tiny_dataset, tmp_path, checkpoint, weights):
    """Runs a label run with CLIP; returns its metrics, its masks and its runner."""

    def make(name='out', classes=TWO, pipeline=PIPELINE, change=None, threshold=0.5, **hook):
        root = tiny_dataset(name='data', classes=classes, splits=dict(train=4))
        cfg = label_config(
            root, tmp_path / name, checkpoint(len(classes)), classes, threshold=threshold
        )
        cfg.test_dataloader.dataset.pipeline = pipeline
        clip = config(weights, **(change or {}))
        cfg.custom_hooks.insert(0, dict(type='mmsmoke.CLIPHook', clip=clip, **hook))
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        metrics, runner = run(cfg)
        return metrics, masks_of(tmp_path / name), runner

    return make


def sample_of(height=40, width=48, present=(1, 0)):
    generator = torch.Generator().manual_seed(2)
    sample = WeakSegDataSample().set_gt_score(torch.tensor(present, dtype=torch.float32))
    scores = torch.rand(len(present), height, width, generator=generator)
    sample.seg_scores = scores * torch.tensor(present)[:, None, None]
    inputs = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    return inputs, sample


def hook_of(weights, **kwargs):
    return CLIPHook(config(weights), **kwargs)


def test_a_label_run_takes_clip_s_word_for_where_the_classes_are(labelled, weights):
    metrics, masks, runner = labelled()
    clip = MODELS.build(config(weights))
    dataset = runner.test_dataloader.dataset
    seen = 0
    for item in dataset:
        sample = item['data_samples']
        mask = masks[sample.mask_name]
        if sample.present().any():
            image = item['inputs'].flip(0).permute(1, 2, 0)
            expected = scores_to_mask(clip(image, sample.present()), 0.5).numpy()
            assert (mask == expected).mean() > 0.999
            seen += mask.any()
        else:
            assert not mask.any()
    assert seen == 3  # images of one class, of the other, of both; the fourth has none
    assert metrics['refine/clip'] != metrics['refine/cams']
    assert metrics['refine/clip'] == pytest.approx(metrics['cam/image_iou'])


def test_the_manifest_says_that_clip_was_asked_and_for_what(labelled, weights, tmp_path):
    labelled(classes=('smoke',))
    manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
    clip = manifest['settings']['hooks'][0]['clip']
    assert manifest['settings']['hooks'][0]['type'] == 'mmsmoke.CLIPHook'
    assert clip['checkpoint'] == weights and clip['background'] == ['sky', 'cloud', 'tree']
    assert clip['foreground']['smoke'] == ['smoke', 'exhaust fumes']
    assert 'refine/clip' in manifest['metrics']


def test_classes_are_told_apart_by_name_whatever_the_order(labelled):
    names = dict(fire=['fire'], other=['bird'], smoke=['smoke', 'exhaust fumes'])
    _, masks, _ = labelled()
    _, others, _ = labelled(name='turned', change=dict(foreground=names))
    assert all((masks[name] == others[name]).all() for name in masks)


def test_a_loader_that_resizes_changes_the_cams_but_not_what_clip_sees(labelled):
    resize = dict(type='Resize', scale=(24, 20), keep_ratio=False)
    _, masks, _ = labelled()
    _, others, _ = labelled(name='small', pipeline=[PIPELINE[0], resize, *PIPELINE[1:]])
    assert all((masks[name] == others[name]).all() for name in masks)


def test_both_sources_and_their_mixtures(weights):
    inputs, sample = sample_of(present=(1, 1))
    image = inputs.flip(0).permute(1, 2, 0)
    scores, present = sample.seg_scores, sample.present()

    def refined(**kwargs):
        (scores,) = scores_after(hook_of(weights, **kwargs), [inputs], [sample])
        return scores

    clip = MODELS.build(config(weights))
    own, spread = clip(image, present), clip(image, present, scores)
    assert not torch.allclose(own, spread, atol=0.05)
    assert torch.equal(refined(), own)
    assert torch.equal(refined(source='scores'), spread)
    for mode in ('mean', 'max', 'product'):
        assert torch.equal(refined(combine=mode), fuse_cams(torch.stack([scores, own]), mode))
    mixed = refined(source='scores', combine='product')
    assert torch.equal(mixed, fuse_cams(torch.stack([scores, spread]), 'product'))


def test_scores_without_contrast_have_nothing_to_spread_and_stay(weights):
    inputs, sample = sample_of(present=(1, 1))
    sample.seg_scores[0] = 0.7
    (refined,) = scores_after(hook_of(weights, source='scores'), [inputs], [sample])
    assert torch.equal(refined[0], sample.seg_scores[0])
    assert not torch.allclose(refined[1], sample.seg_scores[1], atol=0.05)


def test_images_of_all_sizes_in_one_batch(weights):
    sizes = [(1, 1), (5, 61), (40, 48)]
    inputs, samples = zip(*(sample_of(*size) for size in sizes), strict=True)
    for source in ('clip', 'scores'):
        refined = scores_after(hook_of(weights, source=source), inputs, samples)
        for scores, sample in zip(refined, samples, strict=True):
            assert scores.shape == sample.seg_scores.shape
            assert scores.isfinite().all() and not scores[1].any()
        assert refined[2][0].max() > 0.5


def test_building_the_hook_needs_neither_package_nor_file(monkeypatch):
    monkeypatch.setitem(sys.modules, 'open_clip', None)
    CLIPHook(config('checkpoints/none.pt'))


def test_a_missing_file_ends_the_run_before_the_first_image(labelled):
    with pytest.raises(UserError, match=r'none\.pt does not exist'):
        labelled(change=dict(checkpoint='none.pt'))


def test_a_class_without_names_is_named(labelled):
    with pytest.raises(UserError, match=r"names for smoke, but none for the class 'fire'"):
        labelled(change=dict(foreground=dict(smoke=['smoke'])))


@pytest.mark.parametrize(
    'option, message',
    [
        (dict(source='cam'), "source must be one of clip, scores, got 'cam'"),
        (dict(combine='sum'), "combine must be one of replace, mean, max, product, got 'sum'"),
    ],
)
def test_unknown_options_are_named(option, message):
    with pytest.raises(UserError, match=message):
        CLIPHook(config('x'), **option)


def test_masks_hold_only_present_classes(labelled):
    _, masks, runner = labelled(threshold=0.2)
    for item in runner.test_dataloader.dataset:
        sample = item['data_samples']
        allowed = {0} | {k + 1 for k, p in enumerate(sample.present().tolist()) if p}
        assert set(np.unique(masks[sample.mask_name])) <= allowed
