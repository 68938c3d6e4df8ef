"""Pseudo labels of a segmentor, for rounds of self-training."""

import json

import numpy as np
import pytest
import torch
from label_runs import label_config, masks_of, run
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from tiny_segmentor import segmentor

from mmsmoke.functional import logits_to_scores


@pytest.fixture
def relabel(tiny_dataset, tmp_path):
    """Labels the training images with an untrained segmentor."""

    def run_it(model, classes=('smoke',), num_images=8):
        root = tiny_dataset(classes=classes, splits=dict(train=num_images))
        torch.manual_seed(0)
        weights = MODELS.build(model).state_dict()
        weights['decode_head.conv_seg.weight'] *= 100  # so that it is sure of something
        checkpoint = tmp_path / 'segmentor.pth'
        torch.save(dict(state_dict=weights), checkpoint)
        cfg = label_config(root, tmp_path / 'out', checkpoint, classes, threshold=0.5)
        cfg.default_scope, cfg.model = 'mmseg', model
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        metrics, runner = run(cfg)
        return metrics, runner, tmp_path / 'out'

    with DefaultScope.overwrite_default_scope('mmseg'):  # no later test runs in it
        yield run_it


@pytest.mark.parametrize(
    ('model', 'classes'),
    [
        (segmentor(), ('smoke',)),
        (segmentor(out_channels=1), ('smoke',)),
        (segmentor(3), ('smoke', 'fire')),
    ],
    ids=['softmax', 'sigmoid', 'two classes'],
)
def test_what_it_is_surest_of_among_the_classes_of_the_label(relabel, model, classes):
    metrics, runner, out = relabel(model, classes)
    masks = masks_of(out)
    for item in runner.test_dataloader.dataset:
        with torch.no_grad():
            sample = runner.model.test_step(pseudo_collate([item]))[0]
        logits, label = sample.seg_logits.data, sample.gt_score.bool()
        probabilities = logits.softmax(0)[1:] if len(logits) > 1 else logits
        allowed = probabilities * label[:, None, None]
        best, which = allowed.max(0)
        expected = ((best > 0.5) * (which + 1)).numpy()
        assert (masks[sample.mask_name] != expected).mean() < 0.001
    assert len({mask.tobytes() for mask in masks.values()}) > 2
    assert 'refine/segmentor' in metrics and 'pseudo/image_iou' in metrics


def test_the_manifest_says_what_it_was_made_of(relabel):
    _, _, out = relabel(segmentor())
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['protocol']['normalize'] == 'none'
    for record in manifest['images']:
        (probability,), (label,) = record['probability'], record['label']
        assert (probability > 0.5) == (record['foreground'] > 0)
        assert label or not probability


def test_scores_leave_the_background_out():
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 4, 5)))
    scores = logits_to_scores(logits)
    assert scores.shape == (2, 4, 5) and scores.dtype == torch.float32
    assert torch.allclose(scores, logits.softmax(0)[1:].float())
    assert not logits_to_scores(logits, torch.tensor([True, False]))[1].any()
    single = logits[:1].sigmoid()
    assert torch.equal(logits_to_scores(single), single.float())
