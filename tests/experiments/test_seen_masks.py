"""Plans and results say which few true masks a training has seen."""

import pytest
from mmengine.config import Config

from mmsmoke.experiments.pipeline import run_pipeline
from mmsmoke.experiments.run_records import run_record
from mmsmoke.experiments.work import read_in_labelling
from mmsmoke.utils import DataError, write_json

PLAN = """
classify = dict(config='configs/cam/resnet18-s_12e_smokestack-128.py')
segment = dict(config='configs/segmentors/mlp_r18-s_6e_smokestack-128.py')
"""


def result(**more):
    plain = dict(
        config=dict(sha256='c'),
        checkpoint=dict(sha256='p'),
        data_root='data',
        protocol={},
        splits={},
        environment={},
    )
    return dict(plain, **more)


def test_a_run_of_a_sweep_says_which_masks_it_has_seen():
    seen = dict(number=25, seed=3, groups=9, sha256='m')
    assert run_record('a', 3, result(true_masks=seen))['true_masks'] == seen
    assert 'true_masks' not in run_record('a', 3, result())


@pytest.mark.parametrize('masks', [True, False])
def test_a_pipeline_says_what_is_wrong_with_masks_before_it_trains(tiny_dataset, tmp_path, masks):
    (tmp_path / 'plan.py').write_text(PLAN)
    options = {'data_root': str(tiny_dataset()), 'num_masks': 7, 'classify.masks': masks}
    with pytest.raises(DataError, match='num_masks=7, but 3 of the 3 training images'):
        run_pipeline(tmp_path / 'plan.py', tmp_path / 'work', options)
    assert not list(tmp_path.glob('work/seed-0/*'))


def test_a_label_run_is_done_again_if_what_it_must_agree_with_has_changed(tiny_dataset, tmp_path):
    root, checkpoint = tiny_dataset(), tmp_path / 'best.pth'
    checkpoint.write_bytes(b'weights')
    dataset = dict(type='mmsmoke.WeakSegDataset', data_root=str(root), split='train')
    loader = dict(dataset=dict(dataset, test_mode=True))

    def read(*hooks):
        cfg = Config(dict(test_dataloader=loader, custom_hooks=hooks, default_scope='mmpretrain'))
        return read_in_labelling(cfg, str(checkpoint))

    agreeing = dict(type='mmsmoke.PseudoLabelHook', agree_with=str(tmp_path / 'other/masks'))
    (tmp_path / 'other').mkdir()
    write_json(tmp_path / 'other/manifest.json', dict(threshold=0.3))
    before = read(agreeing)
    write_json(tmp_path / 'other/manifest.json', dict(threshold=0.4))
    assert read(agreeing) != before
    assert 'agree_with' not in read(dict(type='mmsmoke.PseudoLabelHook'))
