"""Three classes from labels to masks, by the tools that users type."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmsmoke.datasets.class_names import VOC_CLASSES

ROOT = Path(__file__).parents[2]
CLASSES = VOC_CLASSES[:3]


@pytest.fixture
def project(tiny_dataset, tmp_path):
    root = tiny_dataset(classes=CLASSES, splits=dict(train=8, val=8, test=4))
    loader = dict(batch_size=4, num_workers=0, persistent_workers=False)
    loader['dataset'] = dict(data_root=str(root), classes=list(CLASSES))
    config = tmp_path / 'cam.py'
    config.write_text(
        f"_base_ = '{ROOT}/configs/cam/resnet18-s_12e_smokestack-128.py'\n"
        'model = dict(backbone=dict(base_channels=8), head=dict(in_channels=32, num_classes=3))\n'
        'train_cfg = dict(max_epochs=1)\n'
        f'train_dataloader = {loader}\nval_dataloader = {loader}\ntest_dataloader = {loader}\n'
    )
    return root, config


def test_absent_classes_never_appear_in_masks(project, load_tool, run_main, tmp_path):
    root, config = project
    work_dir, labels = tmp_path / 'work', tmp_path / 'labels'
    code, _, error = run_main(load_tool('train.py').main, config, '--work-dir', work_dir)
    assert code == 0, error
    assert 'Epoch(train)' in max(work_dir.glob('*/*.log')).read_text()
    options = config, work_dir / 'epoch_1.pth', '--work-dir', labels, '--threshold', '0.1'
    code, _, error = run_main(load_tool('make_pseudo_labels.py').main, *options)
    assert code == 0, error
    shown = set()
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        rows = [row for row in csv.DictReader(file) if row['split'] == 'train']
    for row in rows:
        mask = np.array(Image.open(labels / 'masks' / f'{Path(row["image"]).stem}.png'))
        present = {value for value, name in enumerate(CLASSES, 1) if row[name] == '1'}
        values = {*np.unique(mask).tolist()} - {255}
        assert values <= present | {0}, row
        shown |= values
    assert len(rows) == 8 and shown - {0}
