"""Three classes from labels to masks, by the tools that users type."""

import csv
import json
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


def test_each_class_has_its_threshold_in_every_tool(project, load_tool, run_main, tmp_path):
    root, config = project
    work_dir, found = tmp_path / 'work', tmp_path / 'found.json'

    def run(tool, *options):
        code, text, error = run_main(load_tool(tool).main, *options)
        assert code == 0, error
        return text

    run('train.py', config, '--work-dir', work_dir)
    model = config, work_dir / 'epoch_1.pth'
    options = '--criterion', 'per_class', '--work-dir', tmp_path / 'search', '--out', found
    text = run('search_threshold.py', *model, *options)
    threshold = json.loads(found.read_text())['threshold']
    assert list(threshold) == list(CLASSES)
    words = ', '.join(f'{name} {one:.2f}' for name, one in threshold.items())
    assert f'threshold {words} by per_class on val' in text

    masks = {}
    for name, how in dict(file=('--threshold', found),
                          search=('--threshold-from', 'val', '--per-class')).items():  # fmt: skip
        run('make_pseudo_labels.py', *model, '--work-dir', tmp_path / name, *how)
        protocol = json.loads((tmp_path / name / 'manifest.json').read_text())['protocol']
        assert (protocol['threshold'], protocol['threshold_mode']) == (threshold, 'per_class')
        masks[name] = [path.read_bytes() for path in sorted(tmp_path.glob(f'{name}/masks/*.png'))]
    assert masks['file'] == masks['search'] and len(masks['file']) == 8

    out = tmp_path / 'result.json'
    run('test.py', *model, '--work-dir', tmp_path / 'test', '--splits', 'test',
        '--threshold-split', 'val', '--per-class', '--out', out)  # fmt: skip
    result = json.loads(out.read_text())
    assert result['protocol'] == dict(
        threshold=threshold, threshold_mode='per_class', threshold_split='val'
    )
    for name, one in threshold.items():
        assert result['splits']['test'][f'cam/threshold_{name}'] == one

    run('infer.py', config, root / 'images', '--weights', model[1], '--threshold', found,
        '--out', tmp_path / 'seen')  # fmt: skip
    header = (tmp_path / 'seen/areas.csv').read_text().splitlines()[0]
    assert header.split(',')[1:4] == [f'share_{name}' for name in CLASSES]


def test_thresholds_of_classes_need_a_split_and_maps(project, load_tool, run_main, tmp_path):
    _, config = project
    label = load_tool('make_pseudo_labels.py').main
    code, _, error = run_main(label, config, 'none.pth', '--per-class')
    assert code == 2 and '--per-class chooses thresholds on a split: say --threshold-from' in error
    code, _, error = run_main(load_tool('test.py').main, config, 'none.pth', '--per-class')
    assert code == 2 and 'needs a split on which to choose it (--threshold-split)' in error
