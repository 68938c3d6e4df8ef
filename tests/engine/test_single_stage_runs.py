"""Whole runs of one-stage segmentors: training, test, publishing, inference, export."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from label_runs import tiny_model
from processes import run
from test_resume import Killed, Killer, same

from mmsmoke.apis import SmokeInferencer
from mmsmoke.engine.launch import build_runner, load_config, resume
from mmsmoke.engine.trial import require_fitting_model
from mmsmoke.inference.predictor import load_model
from mmsmoke.utils import UserError

CONFIG = """
_base_ = [
    '{root}/configs/_base_/models/single.py',
    '{root}/configs/_base_/datasets/smokestack-64.py',
    '{root}/configs/_base_/schedules/packaged_3e.py',
    '{root}/configs/_base_/segment_runtime.py',
]

vit = dict(
    type='VisionTransformer', img_size=32, patch_size=8, out_type='featmap', out_indices=(0, 1),
    drop_rate=0.1, drop_path_rate=0.1,
    arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
)
head = dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=24)
model = dict(
    ema=0.9,
    auxiliary=dict(index=0, in_channels=24),
    classifier=dict(
        type='mmsmoke.CrossArchDistiller',
        student=dict(config='{folder}/student.py', backbone=dict(_delete_=True, **vit), head=head),
        teacher=dict(config='{folder}/student.py'),
        align='class_maps',
        transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss'),
    ),
    decode_head=dict(in_channels=24, channels=24),
)
del vit, head
"""


@pytest.fixture
def config(tiny_dataset, tmp_path, request):
    """A config file, whose student and teacher are named by config."""
    (tmp_path / 'student.py').write_text(f'model = {tiny_model(1)!r}\n')
    path = tmp_path / 'single.py'
    path.write_text(CONFIG.format(root=request.config.rootpath, folder=tmp_path))
    return path


@pytest.fixture
def load(config, tiny_dataset, tmp_path):
    """Function that reads the config with changes."""
    root = tiny_dataset(splits=dict(train=8, val=4, test=4), size=(40, 32))

    def make(work_dir, **changes):
        options = {
            'data_root': str(root),
            'size': 32,
            'param_scheduler': [dict(type='CosineAnnealingLR', T_max=3)],
            'train_dataloader.batch_size': 4,
            **changes,
        }
        return load_config(config, tmp_path / work_dir, options)

    return make


def train(cfg, killed_at=None):
    resume(cfg)
    cfg.experiment_name = f'{cfg.work_dir}_{killed_at}'
    runner = build_runner(cfg)
    require_fitting_model(runner)
    runner.register_hook(Killer(killed_at))
    try:
        runner.train()
    except Killed:
        return None
    return torch.load(f'{cfg.work_dir}/epoch_3.pth', weights_only=False)


def test_a_run_resumes_bit_for_bit_and_what_it_leaves_predicts_without_the_teacher(
    load, config, load_tool, run_main, tmp_path
):
    straight = train(load('straight'))
    assert train(load('resumed'), killed_at=3) is None  # in the middle of epoch 2
    assert same(straight['state_dict'], train(load('resumed'))['state_dict'])
    weights = straight['state_dict']
    assert weights['steps'] == 6 and any(name.startswith('average.') for name in weights)
    logs = next((tmp_path / 'straight').glob('*/vis_data/scalars.json')).read_text()
    assert 'seg/image_iou' in logs
    cfg = load('straight')
    assert 'config' not in cfg.model.classifier.student  # what is saved is the whole model

    tool = load_tool('model_converters/publish_student.py')
    whole, small = tmp_path / 'straight/epoch_3.pth', tmp_path / 'small.pth'
    code, text, _ = run_main(tool.main, whole, small)
    left = torch.load(small, weights_only=False)['state_dict']
    assert code == 0 and f'{len(left)} tensors are in' in text
    assert not any('teacher' in name or 'average' in name for name in left)
    assert all(torch.equal(left[name], weights[name]) for name in left)
    models = [load_model(cfg, path) for path in (whole, small)]
    image = torch.randn(1, 3, 32, 32)
    assert torch.equal(models[0](image), models[1](image))

    found = SmokeInferencer(str(small), refine=['par'])(
        tmp_path / 'tiny/images', return_scores=True, show_progress=False
    )
    again = SmokeInferencer(cfg, whole, refine=['par'])(
        tmp_path / 'tiny/images', return_scores=True, show_progress=False
    )
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)

    tool = load_tool('deploy/export.py')
    formats = ['torchscript', *(['onnx'] if find_spec('onnxscript') else [])]
    code, _, error = run_main(
        tool.main, config, small, '--out', tmp_path / 'deploy', '--formats', *formats,
        '--cfg-options', f'data_root={tmp_path / "tiny"}', 'size=32',
    )  # fmt: skip
    assert code == 0, error
    about = json.loads((tmp_path / 'deploy/segmenter.json').read_text())
    assert list(about['files']) == formats
    assert all(file['largest_difference'] < 1e-4 for file in about['files'].values())
    exported = torch.jit.load(tmp_path / 'deploy/segmenter.torchscript.pt')
    names = [name for name, _ in exported.named_parameters()]
    assert names and not any('teacher' in name or 'average' in name for name in names)

    tool = load_tool('test.py')
    results = {}
    for name, options in dict(plain=[], tta=['--tta']).items():
        out = tmp_path / f'{name}.json'
        code, _, error = run_main(
            tool.main, config, whole, '--splits', 'test', '--work-dir', tmp_path / name,
            '--out', out, *options, '--cfg-options', f'data_root={tmp_path / "tiny"}', 'size=32',
        )  # fmt: skip
        assert code == 0, error
        results[name] = json.loads(out.read_text())
    assert results['tta']['protocol']['tta'] and 'tta' not in results['plain']['protocol']


def test_two_processes_train_it_and_learn_what_one_learns_from_labels(config, load):
    """Compare what one process and two learn, while the decoder does not learn yet.

    Once it does, they differ: each process averages foreground and background of its own images.
    """
    data = f'data_root={load("none").data_root}'
    config.write_text(config.read_text().replace('drop_rate=0.1, drop_path_rate=0.1,', ''))
    weights = []
    for name, batch, warm_up, command in (
        ('one', 4, 20, [sys.executable, 'tools/train.py', config]),
        ('two', 2, 20, ['tools/dist_train.sh', config, 2]),
        ('decoder, too', 2, 3, ['tools/dist_train.sh', config, 2]),
    ):
        run(
            *command, '--work-dir', config.parent / name, '--cfg-options', data, 'size=32',
            f'model.warm_up={warm_up}', f'train_dataloader.batch_size={batch}',
        )  # fmt: skip
        checkpoint = torch.load(config.parent / name / 'epoch_3.pth', weights_only=False)
        weights.append(checkpoint['state_dict'])
    one, two, decoder = weights
    assert one['steps'] == two['steps'] == decoder['steps'] == 6
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=2e-4, rtol=1e-2, msg=name)
        assert decoder[name].isfinite().all()
    name = 'decode_head.conv_seg.weight'
    assert not torch.allclose(decoder[name], two[name])


def test_a_number_of_classes_that_does_not_fit_the_data_is_named(load):
    cfg = load('wrong')
    cfg.model.decode_head.num_classes = 3
    for role in ('student', 'teacher'):
        cfg.model.classifier[role].head.num_classes = 2
    with pytest.raises(UserError, match=r'decode_head\.num_classes is 3, but the data have 2'):
        require_fitting_model(build_runner(cfg))
