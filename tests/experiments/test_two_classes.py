"""A pipeline on drawn scenes with smoke and steam, from labels to the report."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, find_chromium
from here import Here
from PIL import Image

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.experiments.baselines import trivial_baselines
from mmsmoke.experiments.pipeline import run_pipeline
from mmsmoke.utils import read_json

ROOT = Path(__file__).parents[2]
NAMES = ['smoke', 'steam']
DATA = """
loader = dict(batch_size=8, num_workers=0, persistent_workers=False)
loader['dataset'] = dict(classes=['smoke', 'steam'])
train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
train_cfg = dict(max_epochs=1)
"""
CAM = (
    f"_base_ = '{ROOT}/configs/cam/resnet18-s_12e_smokestack-128.py'\n"
    'model = dict(backbone=dict(base_channels=8), head=dict(in_channels=32, num_classes=2))\n'
)
SEGMENTOR = (
    f"_base_ = '{ROOT}/configs/segmentors/mlp_r18-s_6e_smokestack-128.py'\n"
    'model = dict(\n'
    '    backbone=dict(base_channels=8),\n'
    '    decode_head=dict(in_channels=[8, 16, 32], channels=8, num_classes=3),\n'
    ')\n'
)
PLAN = """
data_root = {data!r}
size = 32
draw = dict(preset='easy', size=48, train=16, val=12, test=8, classes=['smoke', 'steam'])
classify = dict(config={cam!r})
label = dict(refine=['par'], threshold='per_class')
segment = dict(config={segmentor!r})
self_training = dict(rounds=1, refine=['crf:deeplab'], threshold=dict(smoke=0.2, steam=0.3))
threshold_split = 'val'
test_splits = ['test']
"""


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """The folder of a pipeline and its result."""
    folder = tmp_path_factory.mktemp('two')
    paths = {name: str(folder / name) for name in ('data', 'cam.py', 'segmentor.py')}
    Path(paths['cam.py']).write_text(CAM + DATA)
    Path(paths['segmentor.py']).write_text(SEGMENTOR + DATA)
    plan = PLAN.format(**{name.removesuffix('.py'): path for name, path in paths.items()})
    (folder / 'plan.py').write_text(plan)
    result = run_pipeline(folder / 'plan.py', str(folder / 'run'), executor=Here())
    return folder, result['chains'][0]


def test_every_class_has_a_threshold_of_its_own(finished):
    folder, chain = finished
    for stage in ('classify', 'label'):
        protocol = chain[stage]['protocol']
        assert list(protocol['threshold']) == NAMES
        assert (protocol['threshold_mode'], protocol['threshold_split']) == ('per_class', 'val')
    found = read_json(folder / 'run/seed-0/label/threshold/results.json')
    assert found['threshold'] == chain['label']['protocol']['threshold']  # of refined scores
    per_class = {name: found['metrics'][f'per_class/{name}'] for name in NAMES}
    assert found['threshold'] == per_class
    numbers = chain['classify']['splits']['test']
    for name, one in chain['classify']['protocol']['threshold'].items():
        assert numbers[f'cam/threshold_{name}'] == numbers[f'deployed/threshold_{name}'] == one
    assert 'cam/threshold' not in numbers
    assert chain['relabel-1']['protocol']['threshold'] == dict(smoke=0.2, steam=0.3)


@pytest.mark.parametrize('stage', ['label', 'relabel-1'])
def test_masks_show_no_class_that_the_label_excludes(finished, stage):
    folder, _ = finished
    data = WeakSegDataset(str(folder / 'data'), split='train', classes=NAMES, test_mode=True)
    seen = set()
    for row in data:
        mask = Image.open(folder / f'run/seed-0/{stage}/masks' / row['mask_name'])
        values = set(np.unique(np.array(mask)).tolist()) - {0, 255}
        assert values <= {k + 1 for k in row['gt_label']}
        seen |= values
    assert seen or stage != 'label'


def test_numbers_are_told_class_by_class(finished):
    _, chain = finished
    maps, masks = chain['classify']['splits']['test'], chain['segment']['splits']['test']
    for name in NAMES:
        for key in ('label/accuracy', 'cam/image_iou', 'cam/pooled_iou', 'cam/recall'):
            assert f'{key}_{name}' in maps
        assert f'seg/image_iou_{name}' in masks
    assert maps['cam/confused_steam_as_smoke'] >= 0 and masks['seg/confused_smoke_as_steam'] >= 0
    assert chain['label']['metrics']['pseudo/confused_steam_as_smoke'] >= 0


def test_the_report_names_both_classes_in_tables_and_pictures(finished, tmp_path):
    folder, chain = finished
    page = (folder / 'run/report/index.html').read_text()
    (section,) = re.findall(r'<section id="classes">.*?</section>', page, re.DOTALL)
    cells = ('steam as smoke', 'smoke as steam', 'classify, maps', 'label, pseudo masks')
    for cell in (*NAMES, *cells):
        assert f'<td>{cell}</td>' in section
    thresholds = chain['classify']['protocol']['threshold']
    words = ', '.join(f'{name} {thresholds[name]:.2f}' for name in NAMES)
    assert f'as chosen ({words})' in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    assert [one['name'] for one in data['classes']] == NAMES
    says = [one['says'] for one in data['examples']]
    assert all(re.search(r'; classifier: smoke \d+ %, steam \d+ %$', one) for one in says)
    assert {one.split(';')[0] for one in says} >= {'clear', 'steam'}
    sheet = np.array(Image.open(folder / 'run/examples.png'))
    colours = {tuple(one['colour']) for one in data['classes']}
    assert colours <= set(map(tuple, sheet[-30:].reshape(-1, 3).tolist()))  # the legend
    if find_chromium():
        browser = Browser(tmp_path / 'profile')
        browser.open(folder / 'run/report/index.html')
        legend = browser.run("document.getElementById('legend').textContent")
        status = browser.run("document.getElementById('status').textContent")
        browser.close()
        assert legend.split() == NAMES
        assert status.startswith(f'{len(says)} of {len(says)} examples; mean IoU')


def test_baselines_are_told_class_by_class(finished):
    folder, _ = finished
    rows = trivial_baselines(str(folder / 'data'), ['test'], classes=NAMES)
    names = [row['map'] for row in rows]
    assert names == [f'{kind}, {name}' for name in NAMES for kind in ('everything', 'mean mask')]
    shares = []
    for row in WeakSegDataset(str(folder / 'data'), split='test', classes=NAMES, test_mode=True):
        if row['gt_score'][1]:
            shares.append((np.array(Image.open(row['seg_map_path'])) == 2).mean())
    expected = 100 * np.mean([share for share in shares if share])
    assert rows[2]['test'] == pytest.approx(expected, abs=0.06)
