"""The report of data that have no true masks to test by."""

import json
import re

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

from mmsmoke.apis.evaluate import evaluate_splits
from mmsmoke.apis.launch import load_config
from mmsmoke.apis.report import write_report
from mmsmoke.apis.stages import DETAILS
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
    page = write_report(tmp_path, result, 'test').read_text()
    examples = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])['examples']
    positive = [one for one in examples if one['says'].startswith('smoke')]
    groups = {split: {one['group'] for one in positive if one['split'] == split}
              for split in ('val', 'test')}  # fmt: skip
    assert groups['test'] == {'sample'} and 'best' in groups['val']
    assert all(one['outcome'] == 'truth not known' for one in positive if one['split'] == 'test')


def test_a_threshold_is_not_chosen_on_what_is_tested(classifier):
    with pytest.raises(UserError, match="split 'val' has no true masks to choose a threshold by"):
        classifier('val', 'val')
