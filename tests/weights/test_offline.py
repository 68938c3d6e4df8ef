"""A machine that has the package index and nothing else: no look-up of a name, no connection."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from mmsmoke.utils import UserError
from mmsmoke.weights.packaged import packaged_file

NO_NETWORK = """
import socket

def refuse(*_, **__):
    raise OSError('the network was asked for')

socket.getaddrinfo = socket.create_connection = refuse
connect = socket.socket.connect
socket.socket.connect = lambda self, address: (
    connect(self, address) if self.family == socket.AF_UNIX else refuse()
)
"""
SMALL = (
    'train_dataloader.batch_size=2', 'train_cfg.max_epochs=1', 'val_dataloader.num_workers=0',
    'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'val_dataloader.persistent_workers=False', 'train_dataloader.dataset.at_least=0',
)  # fmt: skip


def is_installed():
    try:
        return packaged_file('efficientnet-lite0').is_file()
    except UserError:
        return False


@pytest.mark.skipif(not is_installed(), reason='the package of weights is not installed')
@pytest.mark.parametrize(
    'config, more',
    [
        ('cam/lite0_3e_weakseg-168.py', ()),
        ('segmentors/mlp_lite0_6e_weakseg-168.py', ('--masks', '{root}/masks')),
    ],
)
def test_a_training_with_packaged_weights_asks_for_no_network(tiny_dataset, tmp_path, config, more):
    root = tiny_dataset(splits=dict(train=4, val=2))
    (tmp_path / 'sitecustomize.py').write_text(NO_NETWORK)
    done = subprocess.run(
        [
            sys.executable, 'tools/train.py', f'configs/{config}', '--work-dir', tmp_path / 'work',
            *(one.format(root=root) for one in more), '--cfg-options', f'data_root={root}', *SMALL,
        ],
        cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(tmp_path), 'XDG_CACHE_HOME': str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / 'work/epoch_1.pth').is_file()
    (log,) = (tmp_path / 'work').glob('*/*.log')
    assert 'package://efficientnet-lite0' in log.read_text()
    (kept,) = (tmp_path / 'mmsmoke').glob('*.pth')
    assert kept.stat().st_size > 1e7
