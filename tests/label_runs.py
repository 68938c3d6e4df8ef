"""What tests of label runs share."""

from types import SimpleNamespace

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mmsmoke.engine import PseudoLabelLoop
from mmsmoke.engine.launch import build_runner

PIPELINE = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]


def label_config(data_root, work_dir, checkpoint, classes=('smoke',), batch_size=3, **hook):
    """A label run over the training images with a tiny CNN."""
    return Config(
        dict(
            default_scope='mmpretrain',
            work_dir=str(work_dir),
            load_from=str(checkpoint),
            model=tiny_model(len(classes)),
            test_dataloader=dict(
                batch_size=batch_size,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(
                    type='mmsmoke.WeakSegDataset',
                    data_root=str(data_root),
                    classes=list(classes),
                    split='train',
                    test_mode=True,
                    pipeline=PIPELINE,
                ),
            ),
            test_cfg=dict(type='mmsmoke.PseudoLabelLoop'),
            test_evaluator=[
                dict(type='mmsmoke.PseudoLabelMetric'),
                dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='pseudo'),
            ],
            custom_hooks=[dict(type='mmsmoke.PseudoLabelHook', **hook)],
        )
    )


def tiny_model(num_classes):
    return dict(
        type='mmsmoke.CAMClassifier',
        data_preprocessor=dict(mean=[128] * 3, std=[64] * 3, to_rgb=True),
        backbone=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4, num_stages=2,
                      strides=(1, 2), dilations=(1, 1), out_indices=(1,)),
        head=dict(type='mmsmoke.CAMHead', num_classes=num_classes, in_channels=8),
    )  # fmt: skip


def run(cfg) -> tuple[dict, Runner]:
    torch.manual_seed(0)
    cfg = cfg.copy()
    cfg.experiment_name = f'test-{run.count}'
    run.count += 1
    runner = build_runner(cfg)
    return runner.test(), runner


run.count = 0


def start(hook, work_dir=''):
    """Starts a refiner without a label run."""
    loop = object.__new__(PseudoLabelLoop)
    loop.stages = ['cams']
    runner = SimpleNamespace(
        test_loop=loop,
        model=torch.nn.Linear(1, 1),
        work_dir=str(work_dir),
        test_dataloader=SimpleNamespace(dataset=SimpleNamespace(label_classes=['smoke'])),
    )
    hook.before_test(runner)
    assert loop.stages == ['cams', hook.stage]


def masks_of(folder):
    return {path.name: np.array(Image.open(path)) for path in sorted(folder.glob('masks/*.png'))}


def scores_after(hook, inputs, samples) -> list[torch.Tensor]:
    """Return what a hook makes of the scores of samples, which stay as they are."""
    before = [sample.seg_scores for sample in samples]
    hook.after_test_iter(None, 0, dict(inputs=inputs), samples)
    after = [sample.seg_scores for sample in samples]
    for sample, scores in zip(samples, before, strict=True):
        sample.seg_scores = scores
    return after
