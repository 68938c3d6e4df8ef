"""Whole runs on a GPU that is not there: labels, a test, inference."""

import json
from unittest import mock

import numpy as np
import pytest
import tiny_segmentor
import torch
from fake_cuda import fake_cuda
from label_runs import label_config, masks_of, run
from mmengine.config import Config

from mmsmoke.engine import AutocastOptimWrapper
from mmsmoke.inference.inferencer import SmokeInferencer

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')

ASKED = ('mmengine.runner.runner', 'mmengine.runner.amp', 'mmsmoke.engine.optim_wrapper')
TRIED = (
    'ScreenRunner',
    'PseudoLabelLoop',
    'RefinedTestLoop',
    'SmokeInferencer',
    'AutocastOptimWrapper',
)
REFINED = dict(
    type='mmsmoke.RefinedTestLoop',
    refine=[dict(type='mmsmoke.CRFRefiner', preset='deeplab', backend='torch', workers=1)],
)
CLASSES = ('smoke', 'fire')
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')  # whatever scope a run leaves ends here


class AtOnce:
    """A thread that is none: in another one no GPU is made up."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, function, *arguments):
        function(*arguments)
        return mock.Mock()


@pytest.fixture
def gpu(monkeypatch):
    """Function that lets runs find a GPU from now on, within a ``with``."""
    loop = 'mmsmoke.engine.loops.pseudo_label_loop.one_thread'

    def make():
        for module in ASKED:
            monkeypatch.setattr(f'{module}.get_device', lambda: 'cuda')
        monkeypatch.setattr(loop, AtOnce)
        return fake_cuda()

    return make


@pytest.mark.parametrize('fp16', [False, True])
def test_a_label_run_writes_what_it_would_on_a_cpu(gpu, fp16, tiny_dataset, tmp_path, checkpoint):
    root = tiny_dataset(classes=CLASSES)

    def label(name, fp16):
        cfg = label_config(root, tmp_path / name, checkpoint(2), CLASSES, score_stride=4)
        cfg.test_cfg.fp16 = fp16
        cfg.custom_hooks.insert(0, dict(type='mmsmoke.CRFHook', backend='torch', workers=1))
        cfg.test_evaluator += [
            dict(type='mmsmoke.RefinementMetric'),
            dict(type='mmsmoke.OtsuThreshold'),
            dict(type='mmsmoke.LabelAccuracy'),
        ]
        metrics, runner = run(cfg)
        return metrics, masks_of(tmp_path / name), next(runner.model.parameters()).device.type

    expected, masks, _ = label('cpu', False)
    with gpu():
        found, same_masks, device = label('cuda', fp16)
    assert device == 'cuda'
    assert found == pytest.approx(expected, abs=2 if fp16 else 0.1)
    for name, mask in masks.items():
        assert (mask != same_masks[name]).mean() < (0.05 if fp16 else 0.005)
    manifests = [json.loads((tmp_path / n / 'manifest.json').read_text()) for n in ('cpu', 'cuda')]
    assert len(manifests[0]['images']) == len(manifests[1]['images']) == 6


@pytest.mark.parametrize('test_cfg', [dict(), REFINED], ids=['plain', 'refined'])
def test_a_segmentor_is_tested_as_on_a_cpu(test_cfg, gpu, tiny_dataset, tmp_path):
    root = tiny_dataset()
    config, weights = tiny_segmentor.on_disk(tmp_path, root, tiny_segmentor.segmentor())

    def test(name):
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(dict(work_dir=str(tmp_path / name), load_from=str(weights)))
        cfg.test_dataloader.update(sampler=dict(type='DefaultSampler', shuffle=False))
        cfg.test_cfg = test_cfg
        cfg.test_evaluator = [
            dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='seg'),
            dict(type='mmsmoke.KnownIoUMetric', iou_metrics=['mIoU']),
        ]
        return run(cfg)[0]

    expected = test('cpu')
    with gpu():
        assert test('cuda') == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize('tile', [None, 30])
@pytest.mark.parametrize('out_channels', [None, 1])
def test_inference_on_the_gpu_finds_what_it_does_on_a_cpu(
    out_channels, tile, tiny_dataset, tmp_path
):
    root = tiny_dataset()
    model = tiny_segmentor.segmentor(out_channels=out_channels)
    config, weights = tiny_segmentor.on_disk(tmp_path, root, model)

    def look(device):
        refine = [dict(type='mmsmoke.CRFRefiner', backend='torch', workers=1)]
        inferencer = SmokeInferencer(config, weights, device, refine=refine, tile=tile)
        return inferencer(root / 'images', return_scores=True, show_progress=False)

    expected = look('cpu')
    with fake_cuda():
        found = look('cuda')
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)
        assert (one.mask != other.mask).mean() < 0.005


def test_mixed_precision_of_a_training_step_is_that_of_the_gpu(gpu):
    net = torch.nn.Linear(2, 2)
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
    with gpu(), wrapper.optim_context(net):
        assert net.to('cuda')(torch.ones(1, 2, device='cuda')).dtype == torch.bfloat16
