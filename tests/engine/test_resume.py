"""A training that was stopped and resumed ends with the weights of one that was not."""

import pytest
import torch
from mmengine.hooks import Hook

from mmsmoke.engine.launch import build_runner, load_config, resume

CONFIG = """
_base_ = '{root}/configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py'

model = dict(
    student=dict(
        backbone=dict(
            arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
            img_size=32, drop_rate=0.2, drop_path_rate=0.2,
        ),
        head=dict(in_channels=24),
    ),
    teacher=dict(
        backbone=dict(base_channels=8, stem_channels=8, widths=(8, 8, 16)),
        head=dict(in_channels=32),
        init_cfg=None,
    ),
    paradigm='co_training',
)
"""


@pytest.fixture
def train(tiny_dataset, tmp_path, request):
    root = tiny_dataset(splits=dict(train=8, val=4), size=(40, 32))
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=request.config.rootpath))

    def run(work_dir, workers=0, amp=False, killed_at=None, killed_behind=None):
        options = {
            'data_root': str(root),
            'train_cfg.max_epochs': 3,
            'param_scheduler': [dict(type='CosineAnnealingLR', T_max=3)],
            'train_dataloader.batch_size': 4,
            'train_dataloader.num_workers': workers,
            'train_dataloader.persistent_workers': workers > 0,
            'val_dataloader.num_workers': 0,
            'val_dataloader.persistent_workers': False,
        }
        if amp:
            options['optim_wrapper.type'] = 'mmsmoke.AutocastOptimWrapper'
        cfg = load_config(config, tmp_path / work_dir, options)
        resume(cfg)
        cfg.experiment_name = f'{work_dir}_{killed_at}_{killed_behind}'
        runner = build_runner(cfg)
        runner.register_hook(Killer(killed_at, killed_behind, run.validated))
        try:
            runner.train()
        except Killed:
            return None
        return torch.load(tmp_path / work_dir / 'epoch_3.pth', weights_only=False)

    run.validated = []
    return run


class Killed(Exception):
    pass


class Killer(Hook):
    """Stop a training before a step, or before the validation of an epoch."""

    def __init__(self, step, epoch=None, validated=None):
        self.step, self.epoch = step, epoch
        self.validated = [] if validated is None else validated

    def before_val(self, runner):
        if runner.epoch == self.epoch:
            raise Killed

    def after_val(self, runner):
        self.validated.append(runner.epoch)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.step:
            raise Killed


def same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize('workers, amp', [(0, False), (2, True)])
def test_resumed_training_is_bit_for_bit_the_uninterrupted_one(train, workers, amp):
    straight = train('straight', workers, amp)
    assert train('resumed', workers, amp, killed_at=3) is None  # in the middle of epoch 2
    resumed = train('resumed', workers, amp)
    for part in ('state_dict', 'optimizer'):
        assert same(straight[part], resumed[part])


@pytest.mark.parametrize('epoch', [1, 2, 3])
def test_a_validation_that_was_interrupted_is_made_up_for(train, tmp_path, epoch):
    train('straight')
    assert train('resumed', killed_behind=epoch) is None
    train.validated.clear()
    train('resumed')
    assert train.validated == list(range(epoch, 4))
    straight, resumed = (
        [path.name for path in (tmp_path / name).glob('best_*.pth')]
        for name in ('straight', 'resumed')
    )
    assert straight == resumed and len(resumed) == 1


def test_worker_count_changes_nothing(train):
    alone, shared = train('alone', workers=0), train('shared', workers=2)
    assert same(alone['state_dict'], shared['state_dict'])


def test_each_process_has_its_own_randomness(train, monkeypatch):
    first = train('first')
    monkeypatch.setattr('mmsmoke.engine.hooks.step_seed_hook.get_rank', lambda: 1)
    assert not same(first['state_dict'], train('second')['state_dict'])
