import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from label_runs import label_config, masks_of, run
from mmengine.registry import HOOKS, MODELS

from mmsmoke.engine import PseudoLabelHook, RefineHook
from mmsmoke.functional import scores_to_mask
from mmsmoke.utils import UserError


class Sharpen:
    """Squares the scores, and everywhere adds what must not survive for absent classes."""

    seen = []

    def __init__(self, extra=0.0):
        self.extra = extra

    def __call__(self, image, scores, present):
        self.seen.append(present)
        assert image.dtype == np.uint8 and image.shape == (*scores.shape[1:], 3)
        return (scores**2 + self.extra).clamp(max=1)


def sharpen(stage='sharp', **settings):
    return dict(type='mmsmoke.RefineHook', refiner=dict(type='Sharpen', **settings), stage=stage)


@pytest.fixture
def refined(tiny_dataset, tmp_path, checkpoint, monkeypatch):
    """Runs a label run with refiners; returns its metrics, its masks and the data set."""
    monkeypatch.setitem(MODELS.module_dict, 'Sharpen', Sharpen)
    monkeypatch.setattr(Sharpen, 'seen', [])

    def make(*refiners, name='out', classes=('smoke',), metric=None, **hook):
        root = tiny_dataset(classes=classes, splits=dict(train=8))
        cfg = label_config(root, tmp_path / name, checkpoint(len(classes)), classes, **hook)
        cfg.custom_hooks = [*refiners, *cfg.custom_hooks]
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric', **(metric or {})))
        metrics, runner = run(cfg)
        return metrics, masks_of(tmp_path / name), runner

    return make


def manifest_of(runner) -> dict:
    return json.loads((Path(runner.work_dir) / 'manifest.json').read_text())


def test_refiners_act_in_the_order_of_the_config_and_each_is_measured(refined):
    first, second = sharpen('a'), sharpen('b')
    metrics, masks, _ = refined(first, second, threshold=0.4)
    none, plain, _ = refined(name='none', threshold=0.4**0.25)
    # squaring twice and a threshold of 0.4 is a threshold of 0.4 ** (1 / 4)
    assert all((masks[name] == plain[name]).mean() > 0.999 for name in plain)
    assert metrics['refine/cams'] == none['refine/cams'] == none['cam/image_iou']
    assert metrics['refine/b'] == metrics['cam/image_iou']
    assert metrics['refine/b_threshold'] < metrics['refine/a_threshold']
    for stage in ('cams', 'a', 'b'):  # a monotone map changes no oracle but for its 101 steps
        assert metrics[f'refine/{stage}_oracle'] == pytest.approx(
            metrics['refine/cams_oracle'], abs=8
        )


def test_a_stage_takes_the_threshold_that_it_is_given(refined):
    metrics, _, _ = refined(
        sharpen(), metric=dict(thresholds=dict(cams=0.5, sharp=0.25)), threshold=0.4
    )
    assert metrics['refine/cams_threshold'] == 0.5 and metrics['refine/sharp_threshold'] == 0.25
    assert metrics['refine/sharp'] == pytest.approx(metrics['refine/cams'], abs=0.5)
    assert metrics['refine/cams'] <= metrics['refine/cams_oracle']


def test_images_without_a_class_are_not_refined_and_absent_classes_stay_absent(refined):
    classes = ('smoke', 'fire')
    _, masks, runner = refined(sharpen(extra=0.9), classes=classes, threshold=0.5)
    assert Sharpen.seen and all(present.any() for present in Sharpen.seen)
    for record in json.loads(
        (runner.test_loop.journal.folder.parent / 'manifest.json').read_text()
    )['images']:
        mask = masks[record['mask'].removeprefix('masks/')]
        allowed = {k + 1 for k, present in enumerate(record['label']) if present}
        assert set(np.unique(mask)) <= allowed | {0}
        assert mask.any() == bool(allowed)


def test_two_refiners_of_one_name_are_refused(refined):
    with pytest.raises(UserError, match="two refiners are called 'sharp'"):
        refined(sharpen(), sharpen())


def test_pixels_between_two_thresholds_are_ignored(refined):
    _, certain, _ = refined(name='certain', threshold=0.6)
    _, possible, _ = refined(name='possible', threshold=0.3)
    _, band, runner = refined(name='band', threshold=0.6, ignore_above=0.3)
    for name, mask in band.items():
        expected = np.where((possible[name] > 0) & (certain[name] == 0), 255, certain[name])
        assert (mask == expected).all()
    assert any((mask == 255).any() for mask in band.values())
    manifest = manifest_of(runner)
    assert manifest['protocol']['ignore_above'] == 0.3
    for record in manifest['images']:
        mask = band[record['mask'].removeprefix('masks/')]
        assert record['ignored'] == pytest.approx((mask == 255).mean(), abs=1e-6)
        assert record['foreground'] == pytest.approx((mask == 1).mean(), abs=1e-6)


def test_an_ignore_band_must_lie_below_the_threshold():
    with pytest.raises(UserError, match=r'ignore_above must be in \[0, 0.3\]'):
        PseudoLabelHook(threshold=0.3, ignore_above=0.5)
    with pytest.raises(UserError, match='score_stride must be at least 1, got 0'):
        PseudoLabelHook(score_stride=0)


def test_ignored_pixels_are_those_between_the_two_values():
    scores = torch.tensor([[[0.1, 0.3, 0.31, 0.6, 0.61]]])
    assert scores_to_mask(scores, 0.6, 0.3).tolist() == [[0, 0, 255, 255, 1]]


def test_the_model_predicts_the_next_batch_while_hooks_work_on_one(refined, monkeypatch):
    second = threading.Event()

    class Wait(RefineHook):
        def __init__(self):
            super().__init__(self.wait, 'wait')

        def before_test(self, runner):
            super().before_test(runner)
            self.patient = False
            step, self.batches = runner.model.test_step, 0

            def counted(batch):
                outputs = step(batch)
                self.batches += 1
                if self.batches == 2:
                    second.set()
                return outputs

            runner.model.test_step = counted

        def wait(self, image, scores, present):
            if not self.patient:
                self.patient = second.wait(60)
                assert self.patient
            return scores

    monkeypatch.setitem(HOOKS.module_dict, 'Wait', Wait)
    metrics, _, _ = refined(dict(type='Wait'))
    assert second.is_set() and metrics['refine/wait'] == metrics['refine/cams']
