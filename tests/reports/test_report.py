"""The report of data that have no true masks to test by."""

import json
import re

import numpy as np
import pytest
import torch
from browser import Browser, find_chromium
from conftest import save_palette
from mmengine.registry import MODELS, DefaultScope

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.engine.launch import load_config
from mmsmoke.experiments.evaluate import evaluate_splits
from mmsmoke.experiments.step import DETAILS
from mmsmoke.reports.report import write_report
from mmsmoke.reports.report_examples import label_numbers
from mmsmoke.utils import UserError, write_json

CONFIG = """
_base_ = 'mmsmoke::cam/resnet18-s_12e_smokestack-128.py'
test_dataloader = dict(dataset=dict(data_root={root!r}))
"""


@pytest.fixture
def classifier(tmp_path, tiny_dataset):
    """Function that tests an untrained classifier, where the masks of one split are lost."""

    def test(lost, threshold_split):
        root = tiny_dataset(splits=dict(train=2, val=6, test=6), size=(64, 48))
        for mask in root.glob(f'masks/{lost}_*.png'):
            mask.unlink()
        config, checkpoint = tmp_path / 'run/config.py', tmp_path / 'run/best.pth'
        config.parent.mkdir()
        config.write_text(CONFIG.format(root=str(root)))
        cfg = load_config(config, tmp_path / 'run')
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), checkpoint)
        result = evaluate_splits(cfg, checkpoint, ['val', 'test'], threshold_split)
        write_json(tmp_path / 'run' / DETAILS, result.pop('details'))
        return result

    return test


def test_without_masks_to_test_by_the_maps_are_shown(classifier, tmp_path):
    classify = classifier('test', 'val')
    assert 'cam/image_iou' in classify['splits']['val']
    assert 'cam/image_iou' not in classify['splits']['test']
    label = dict(split='train', metrics={}, curves={}, protocol=classify['protocol'], seed=0)
    chain = dict(seed=0, classify=dict(classify, seed=0), label=label)
    result = dict(pipeline='mine.py', data_root=None, chains=[chain], environment={})
    path = write_report(tmp_path, result, 'test')
    page = path.read_text()
    examples = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])['examples']
    positive = [one for one in examples if one['says'].startswith('smoke')]
    groups = {split: {one['group'] for one in positive if one['split'] == split}
              for split in ('val', 'test')}  # fmt: skip
    assert groups['test'] == {'sample'} and 'best' in groups['val']
    assert all(one['outcome'] == 'truth not known' for one in positive if one['split'] == 'test')
    if find_chromium():
        look_at(path, len(examples), tmp_path / 'profile')
    assert 'true masks seen in training' not in page
    chain['classify']['true_masks'] = dict(number=25, seed=3, groups=9)
    page = write_report(tmp_path, result, 'test').read_text()
    assert 'true masks seen in training' in page and '25 (lot 3)' in page


def look_at(page, examples, profile):
    """The report as a whole works under its own policy, in a browser."""
    browser = Browser(profile)
    try:
        browser.open(page)
        assert not [entry for entry in browser.log if not entry.startswith(('file:', 'data:'))]
        status = browser.run("document.getElementById('status').textContent")
        assert status.startswith(f'{examples} of {examples} examples')
        assert browser.run("getComputedStyle(document.querySelector('nav')).display") == 'flex'
    finally:
        browser.close()


def test_a_threshold_is_not_chosen_on_what_is_tested(classifier):
    with pytest.raises(UserError, match="split 'val' has no true masks to choose a threshold by"):
        classifier('val', 'val')


def test_pseudo_masks_are_measured_as_a_metric_would(tmp_path, tiny_dataset):
    root = tiny_dataset(splits=dict(train=6), size=(64, 48))
    data = WeakSegDataset(str(root), test_mode=True)
    positive = sorted((root / 'masks').iterdir())
    masks = tmp_path / 'label'
    empty = np.zeros((48, 64), np.uint8)
    for path, mask in zip(positive, (read_mask(str(positive[0])), empty, empty + 255), strict=True):
        save_palette(masks / path.name, mask)
    numbers = list(label_numbers(data, masks).values())
    assert [one['iou'] for one in numbers] == [100.0, 0.0]  # nothing is known of the last
    assert numbers[0]['predicted'] == numbers[0]['true'] > 0 == numbers[1]['predicted']
    (masks / positive[0].name).unlink()
    assert len(label_numbers(data, masks)) == 1


def test_a_checkpoint_of_another_network_tests_nothing(classifier, tmp_path):
    """mmengine would leave at random what it lacks, and go on."""
    classifier('test', None)
    cfg = load_config(tmp_path / 'run/config.py', tmp_path / 'run')
    content = torch.load(tmp_path / 'run/best.pth')
    lost = content['state_dict'].pop('backbone.conv1.weight')
    torch.save(content, tmp_path / 'lacks.pth')
    with pytest.raises(UserError, match=r'lacks\.pth does not fit the model: it has no backbone'):
        evaluate_splits(cfg, tmp_path / 'lacks.pth', ['val'])
    content['state_dict'] |= {'backbone.conv1.weight': lost, 'strange': lost}
    torch.save(content, tmp_path / 'more.pth')
    with pytest.raises(
        UserError, match=r'more\.pth does not fit the model: the model has no strange'
    ):
        evaluate_splits(cfg, tmp_path / 'more.pth', ['val'])
