"""Distillation from the command line: two processes, the student's own way to stage 2."""

import sys

import pytest
import torch
from conftest import ROOT
from processes import run

SMALL_VIT = """
        backbone=dict(
            arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
            img_size=32,
        ),
        head=dict(in_channels=24),
"""
CONFIG = f"""
_base_ = '{ROOT}/configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py'

model = dict(
    student=dict({SMALL_VIT}),
    teacher=dict(
        backbone=dict(base_channels=8, stem_channels=8, widths=(8, 8, 16)),
        head=dict(in_channels=32),
        init_cfg=None,
    ),
)
train_cfg = dict(max_epochs=2)
train_dataloader = dict(num_workers=0, persistent_workers=False)
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
test_dataloader = dict(batch_size=2, num_workers=0)
"""
PLAIN = f"""
_base_ = '{ROOT}/configs/cam/vit-xs-cls_12e_smokestack-128.py'

model = dict({SMALL_VIT})
test_dataloader = dict(batch_size=2, num_workers=0)
"""


@pytest.fixture
def project(tiny_dataset, tmp_path):
    root = tiny_dataset(splits=dict(train=8, val=4, test=4), size=(40, 32))
    (tmp_path / 'distil.py').write_text(CONFIG)
    (tmp_path / 'plain.py').write_text(PLAIN)
    return tmp_path, f'data_root={root}'


def test_two_processes_learn_what_one_learns_and_the_student_goes_its_own_way(project):
    folder, data = project
    config, weights = folder / 'distil.py', {}
    for name, command, batch in (
        ('one', [sys.executable, 'tools/train.py', config], 4),
        ('two', ['tools/dist_train.sh', config, 2], 2),
    ):
        run(*command, '--work-dir', folder / name, '--cfg-options', data,
            f'train_dataloader.batch_size={batch}')  # fmt: skip
        checkpoint = torch.load(folder / name / 'epoch_2.pth', weights_only=False)
        weights[name] = checkpoint['state_dict']
        count = sum(len(group['params']) for group in checkpoint['optimizer']['param_groups'])
        assert count == sum(
            1 for key in weights[name]
            if key.startswith('projection.') or key.startswith('student.')
        )  # fmt: skip
    assert weights['one'].keys() == weights['two'].keys()
    for key, value in weights['one'].items():
        same = dict(atol=0, rtol=0) if key.startswith('teacher.') else dict(atol=2e-4, rtol=1e-2)
        torch.testing.assert_close(value, weights['two'][key], **same, msg=key)

    done = run(
        sys.executable, 'tools/test.py', folder / 'plain.py', folder / 'one/epoch_2.pth', ok=False
    )
    assert done.returncode == 2 and 'publish_student.py takes the student out' in done.stderr
    run(sys.executable, 'tools/model_converters/publish_student.py', folder / 'one/epoch_2.pth',
        folder / 'student.pth')  # fmt: skip
    out = run(sys.executable, 'tools/test.py', folder / 'plain.py', folder / 'student.pth',
              '--work-dir', folder / 'test', '--cfg-options', data)  # fmt: skip
    out = out.stdout + out.stderr
    assert 'label/accuracy' in out and 'missing keys' not in out and 'unexpected key' not in out
