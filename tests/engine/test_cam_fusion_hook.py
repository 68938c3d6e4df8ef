import pytest
import torch
from label_runs import label_config, run
from mmengine.dataset import pseudo_collate

from mmsmoke.engine import CAMFusionHook, RefineHook
from mmsmoke.functional import cams_to_scores, fuse_cams
from mmsmoke.models.cams import GradCAM
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError


@HOOKS.register_module(force=True)
class KeepScores(RefineHook):
    """Remembers the scores of all images."""

    kept = {}

    def __init__(self, stage):
        super().__init__(lambda image, scores, present: scores, stage)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.kept.update({sample.image: sample.seg_scores.clone() for sample in outputs})
        super().after_test_iter(runner, batch_idx, data_batch, outputs)


@pytest.fixture
def fused(tiny_dataset, tmp_path, checkpoint, monkeypatch):
    monkeypatch.setattr(KeepScores, 'kept', {})

    def make(*hooks, views=None):
        cfg = label_config(tiny_dataset(splits=dict(train=6)), tmp_path / 'out', checkpoint())
        three = dict(num_stages=3, strides=(1, 1, 1), dilations=(1, 1, 1), out_indices=(2,))
        cfg.model.backbone.update(three)
        cfg.model.head.in_channels = 16
        cfg.load_from = str(checkpoint(model=cfg.model))
        if views:
            cfg.model.views = views
        cfg.custom_hooks = [*hooks, *cfg.custom_hooks]
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        metrics, runner = run(cfg)
        return metrics, runner

    return make


@pytest.mark.parametrize('views', [None, dict(recipe='thesis', scales=(1, 2), size_divisor=4)])
@pytest.mark.parametrize(
    'how', [dict(), dict(mode='max'), dict(mode='product', weights=(1, 3)), dict(weights=(1, 3))]
)
def test_scores_are_the_fused_maps_of_the_layers(fused, how, views):
    hook = dict(type='mmsmoke.CAMFusionHook', layers=(-2, -1), **how)
    metrics, runner = fused(hook, dict(type='mmsmoke.KeepScores', stage='kept'), views=views)
    classifier = runner.model
    assert KeepScores.kept
    for item in runner.test_dataloader.dataset:
        with torch.no_grad():
            sample = classifier.test_step(pseudo_collate([item]))[0]
        if sample.present().any():
            expected = cams_to_scores(
                fuse_cams(sample.cam_layers, **how), sample.ori_shape, normalize='none'
            )
            assert torch.allclose(KeepScores.kept[sample.image], expected, atol=1e-5)
    assert metrics['refine/fusion'] == metrics['refine/kept']


def test_before_the_fusion_is_the_last_layer_alone(fused):
    metrics, runner = fused(dict(type='mmsmoke.CAMFusionHook', layers=(-3, -2, -1)))
    alone = runner.model
    alone.read_out = GradCAM((-1,))
    runner.test_evaluator.metrics[0].results.clear()
    with torch.no_grad():
        for batch in runner.test_dataloader:
            samples = alone.test_step(batch)
            runner.test_evaluator.metrics[0].process(batch, [s.to_dict() for s in samples])
    plain = runner.test_evaluator.metrics[0].evaluate(0)
    assert metrics['refine/cams'] == pytest.approx(plain['cam/image_iou'], abs=1e-3)
    assert metrics['refine/fusion'] != metrics['refine/cams']


def test_fusion_must_come_first(fused):
    keep = dict(type='mmsmoke.KeepScores', stage='kept')
    with pytest.raises(UserError, match='fusion makes the scores anew: put it before kept'):
        fused(keep, dict(type='mmsmoke.CAMFusionHook', layers=(-2, -1)))


@pytest.mark.parametrize(
    'bad, message',
    [
        (dict(layers=(-1,)), 'two layers or more'),
        (dict(mode='sum'), "one of mean, max, product, got 'sum'"),
        (dict(weights=(1, 2)), '4 layers need as many positive weights'),
        (dict(weights=(1, 2, 0, 1)), '4 layers need as many positive weights'),
    ],
)
def test_wrong_arguments_are_named(bad, message):
    with pytest.raises(UserError, match=message):
        CAMFusionHook(**bad)


def test_a_layer_that_is_not_there_is_named(fused):
    with pytest.raises(UserError, match='there is no layer -5'):
        fused(dict(type='mmsmoke.CAMFusionHook', layers=(-5, -1)))
