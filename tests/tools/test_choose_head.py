"""Train in two processes with every remedy, and choose a head."""

import sys

from conftest import ROOT
from processes import run

CONFIG = f"""
_base_ = '{ROOT}/configs/cam/resnet18-s_12e_smokestack-128.py'

model = dict(
    backbone=dict(base_channels=8, stem_channels=8),
    head=dict(type='mmsmoke.DiversifiedHead', in_channels=32),
    aux=[
        dict(type='mmsmoke.FalsePositiveLoss', centres=2),
        dict(type='mmsmoke.CropContrastLoss', crops=2, crop_size=16, width=8, queue=20, start=1),
        dict(type='mmsmoke.DisagreementLoss', prior=0.5),
    ],
)
custom_hooks = [dict(type='mmsmoke.FalsePositiveCentresHook')]
train_cfg = dict(max_epochs=2)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(split=['train', 'test'], unlabelled=dict(split='test')),
)
val_dataloader = dict(num_workers=0, persistent_workers=False)
"""


def test_two_processes_train_with_every_remedy_and_a_head_is_chosen(tiny_dataset, tmp_path):
    root = tiny_dataset(splits=dict(train=8, val=4, test=4), size=(40, 32))
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)
    data = ('--cfg-options', f'data_root={root}')
    out = run('tools/dist_train.sh', config, 2, '--work-dir', tmp_path / 'run', *data)
    assert 'centres of regions, true and false: [[2, 2]]' in out.stdout + out.stderr
    (log,) = (tmp_path / 'run').rglob('*.log')
    for name in ('fpr_region', 'fpr_pixel', 'crops', 'crops_prototype', 'disagreement'):
        assert f'loss_{name}:' in log.read_text()
    out = run(sys.executable, 'tools/choose_head.py', config, tmp_path / 'run/epoch_2.pth',
              '--out', tmp_path / 'chosen.pth', *data)  # fmt: skip
    assert 'head 0: accuracy' in out.stdout and out.stdout.count('<- first now') == 1
    assert (tmp_path / 'chosen.pth').is_file() and (tmp_path / 'chosen.json').is_file()
