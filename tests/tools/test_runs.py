"""The tools as mmseg users type them, in one process and in two."""

import json
import os
import re
import sys
from collections import Counter

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from processes import run

PYTHON = sys.executable


@pytest.fixture
def project(tiny_dataset, tmp_path):
    """A data set and a child config, as a user would write it."""
    root = tiny_dataset(splits=dict(train=9, val=5, test=4), context=True)
    (tmp_path / 'cam.py').write_text(
        f"_base_ = '{ROOT}/configs/cam/resnet18-s_12e_smokestack-128.py'\n"
        'model = dict(backbone=dict(base_channels=8), head=dict(in_channels=32))\n'
        'train_cfg = dict(max_epochs=2)\n'
        'train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)\n'
        'val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)\n'
        'test_dataloader = dict(batch_size=2, num_workers=0)\n'
    )
    return root, tmp_path


def test_train_resume_amp_and_test(project):
    root, folder = project
    config, work_dir, data = folder / 'cam.py', folder / 'work', f'data_root={root}'
    run(PYTHON, 'tools/train.py', config, '--work-dir', work_dir, '--amp', '--cfg-options', data)
    assert {'epoch_1.pth', 'epoch_2.pth'} <= {path.name for path in work_dir.glob('*.pth')}
    log = max(work_dir.glob('*/*.log')).read_text()
    assert "type='mmsmoke.AutocastOptimWrapper'" in log

    run(PYTHON, 'tools/train.py', config, '--work-dir', work_dir, '--resume', '--cfg-options', data,
        'train_cfg.max_epochs=3')  # fmt: skip
    log = max(work_dir.glob('*/*.log')).read_text()
    assert set(re.findall(r'Epoch\(train\)\s+\[(\d)\]', log)) == {'3'}

    out = folder / 'result.json'
    run(PYTHON, 'tools/test.py', config, work_dir / 'epoch_3.pth', '--work-dir', folder / 'test',
        '--splits', 'test', '--threshold-split', 'val', '--out', out,
        '--cfg-options', data)  # fmt: skip
    result = json.loads(out.read_text())
    threshold = result['splits']['val']['cam/threshold']
    assert result['protocol'] == dict(
        threshold=threshold, threshold_mode='dataset', threshold_split='val'
    )
    assert result['splits']['test']['cam/threshold'] == threshold
    assert result['seed'] == 0 and len(result['checkpoint']['sha256']) == 64


def test_two_processes_train_and_label_each_image_once_with_the_numbers_of_one(project):
    root, folder = project
    work_dir, data = folder / 'work', f'data_root={root}'
    run('tools/dist_train.sh', folder / 'cam.py', 2, '--work-dir', work_dir,
        '--cfg-options', data)  # fmt: skip
    checkpoint = work_dir / 'epoch_2.pth'
    assert checkpoint.is_file()

    tested = {}
    for name, command in dict(
        one=[PYTHON, 'tools/test.py', folder / 'cam.py', checkpoint],
        two=['tools/dist_test.sh', folder / 'cam.py', checkpoint, 2],
    ).items():
        out = folder / f'{name}.json'
        run(*command, '--work-dir', folder / f'test-{name}', '--splits', 'val', 'test',
            '--out', out, '--cfg-options', data)  # fmt: skip
        tested[name] = json.loads(out.read_text())['splits']
    for split in ('val', 'test'):  # other batches round differently
        assert tested['one'][split] == pytest.approx(tested['two'][split], rel=1e-4)

    masks, manifests = {}, {}
    for name, command in dict(
        one=[PYTHON, 'tools/make_pseudo_labels.py', folder / 'cam.py', checkpoint],
        two=['tools/dist_test.sh', folder / 'cam.py', checkpoint, 2],
    ).items():
        out = folder / f'labels-{name}'
        run(*command, '--work-dir', out, '--cfg-options', data,
            TOOL='make_pseudo_labels.py')  # fmt: skip
        manifests[name] = json.loads((out / 'manifest.json').read_text())
        masks[name] = {p.name: np.array(Image.open(p)) for p in out.glob('masks/*.png')}
    lines = [
        json.loads(line)['image']
        for path in (folder / 'labels-two/journal').glob('rank*.jsonl')
        for line in path.read_text().split('\n')
        if line
    ]
    assert len(list((folder / 'labels-two/journal').glob('rank*.jsonl'))) == 2
    assert Counter(lines) == Counter(f'images/train_{i}.png' for i in range(9))
    assert manifests['one']['images'] == manifests['two']['images']
    assert manifests['one']['metrics'] == manifests['two']['metrics']
    assert masks['one'].keys() == masks['two'].keys()
    assert all((masks['one'][name] == masks['two'][name]).all() for name in masks['one'])


def test_labels_alone_are_enough(tiny_dataset, project):
    _, folder = project
    root = tiny_dataset('unmasked', splits=dict(train=6, val=4), masks=False)
    work_dir, data = folder / 'work', f'data_root={root}'
    done = run(PYTHON, 'tools/train.py', folder / 'cam.py', '--work-dir', work_dir,
               '--cfg-options', data)  # fmt: skip
    assert (
        'the best checkpoint is that with the highest label/worst_class'
        in done.stdout + done.stderr
    )
    assert list(work_dir.glob('best_label_worst_class_epoch_*.pth'))
    out = folder / 'labels'
    run(PYTHON, 'tools/make_pseudo_labels.py', folder / 'cam.py', work_dir / 'epoch_2.pth',
        '--work-dir', out, '--cfg-options', data)  # fmt: skip
    assert len(list((out / 'masks').glob('*.png'))) == 6


@pytest.mark.parametrize(
    'script, tool, rest',
    [
        ('slurm_train.sh', 'train.py', ['config.py', '--resume']),
        ('slurm_test.sh', 'test.py', ['config.py', 'epoch_1.pth', '--out', 'a b.json']),
    ],
)
def test_slurm_scripts_hand_the_command_to_srun(tmp_path, script, tool, rest):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    srun.chmod(0o755)
    path = f'{tmp_path}:{os.environ["PATH"]}'
    done = run(f'tools/{script}', 'night', 'smoke', *rest, GPUS='4', PATH=path)
    words = done.stdout.splitlines()
    assert {'--partition=night', '--job-name=smoke', '--ntasks=4'} <= set(words)
    python, command = words[: -len(rest) - 3], words[-len(rest) - 3 :]
    assert python[-2:] == [PYTHON, '-u']
    assert (ROOT / command[0]).samefile(ROOT / 'tools' / tool)
    assert command[1:] == [*rest, '--launcher', 'slurm']


@pytest.mark.parametrize(
    'damage, message',
    [
        (lambda root: (root / 'labels.csv').unlink(), 'labels.csv not found'),
        (lambda root: (root / 'images/train_3.png').unlink(), 'row 5 (images/train_3.png): image'),
    ],
)
def test_bad_data_is_one_line_and_exit_code_2_before_training(project, damage, message):
    root, folder = project
    damage(root)
    done = run(PYTHON, 'tools/train.py', folder / 'cam.py', '--work-dir', folder / 'work',
               '--cfg-options', f'data_root={root}', ok=False)  # fmt: skip
    assert done.returncode == 2
    assert 'Traceback' not in done.stdout + done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ') and message in last
    assert not list((folder / 'work').glob('*.pth'))


def test_wrong_command_lines_are_one_line(project):
    _, folder = project
    for command, message in (
        (['tools/train.py', 'no/such/config.py'], 'config no/such/config.py not found'),
        (['tools/test.py', folder / 'cam.py', 'no.pth'], 'checkpoint no.pth not found'),
        (
            ['tools/make_pseudo_labels.py', folder / 'cam.py', 'no.pth', '--refine', 'cfr'],
            "'cfr' is no refiner; there are multi_scale",
        ),
        (
            ['tools/make_pseudo_labels.py', folder / 'cam.py', 'no.pth', '--threshold', 'x'],
            "--threshold: say a number or a .json file, not 'x'",
        ),
        (['tools/make_pseudo_labels.py', folder / 'cam.py', 'no.pth'], 'no.pth not found'),
    ):
        done = run(PYTHON, *command, ok=False)
        assert done.returncode == 2 and message in done.stderr, done.stderr
        assert 'Traceback' not in done.stderr
