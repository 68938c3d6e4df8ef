"""What a pipeline says of data before it trains anything."""

import pytest

from mmsmoke.experiments import pipeline
from mmsmoke.experiments.pipeline import run_pipeline
from mmsmoke.utils import UserError

PLAN = """
data_root = {root!r}
classify = dict(config='configs/cam/resnet18-s_12e_smokestack-128.py')
segment = dict(config='configs/segmentors/mlp_r18-s_6e_smokestack-128.py')
full = dict()
threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'
"""


@pytest.fixture
def start(tiny_dataset, tmp_path, monkeypatch):
    """Function that begins a pipeline over a small data set, and must not get to its stages."""

    def no_steps(chain):
        chosen_on = chain.plan.threshold_split
        raise AssertionError(f'a stage was begun, thresholds are chosen on {chosen_on}')

    monkeypatch.setattr(pipeline.Chain, 'steps', no_steps)

    def run(spoil=lambda root: None, **options):
        root = tiny_dataset()
        spoil(root)
        plan = tmp_path / 'plan.py'
        plan.write_text(PLAN.format(root=str(root)))
        run_pipeline(plan, tmp_path / 'run', options)

    return run


def test_good_data_get_to_the_first_stage(start):
    with pytest.raises(AssertionError, match='a stage was begun, thresholds are chosen on val'):
        start()


def test_thresholds_are_not_chosen_where_no_masks_are(start, capsys):
    def forget_validation(root):
        for mask in root.glob('masks/val_*.png'):
            mask.unlink()

    with pytest.raises(AssertionError, match='thresholds are chosen on None'):
        start(forget_validation)
    assert 'val has no true masks: thresholds are as configured' in capsys.readouterr().out


def test_true_masks_that_only_the_last_stage_needs(start):
    with pytest.raises(UserError, match=r'train_0\.png not found: no mask'):
        start(lambda root: (root / 'masks/train_0.png').unlink())


def test_a_split_that_is_not_there(start):
    with pytest.raises(UserError, match="no split 'winter'"):
        start(test_splits=['winter'])


def test_a_config_that_is_not_there(start):
    with pytest.raises(UserError, match=r'config configs/nowhere\.py not found'):
        start(**{'segment.config': 'configs/nowhere.py'})
