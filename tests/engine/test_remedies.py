"""Trainings with further losses: one process, two, stopped and resumed."""

import pytest
import torch
from test_resume import Killed, Killer, same

from mmsmoke.engine.launch import build_runner, load_config, resume
from mmsmoke.utils import UserError

CNN = """
_base_ = '{root}/configs/cam/resnet18-s_12e_smokestack-128.py'
model = dict(
    backbone=dict(base_channels=8, stem_channels=8),
    head=dict(type='mmsmoke.{head}', in_channels=32),
    aux={aux},
)
"""
DISTILLER = """
_base_ = '{root}/configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py'
model = dict(
    student=dict(
        backbone=dict(
            _delete_=True, type='VisionTransformer', img_size=32, patch_size=8, out_type='featmap',
            arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
        ),
        head=dict(_delete_=True, type='mmsmoke.{head}', num_classes=1, in_channels=24),
        cam=None,
        aux={aux},
    ),
    teacher=dict(
        backbone=dict(base_channels=8, stem_channels=8, widths=(8, 8, 16)),
        head=dict(in_channels=32),
        init_cfg=None,
    ),
    paradigm='co_training',
)
"""
NETWORKS = dict(cnn=CNN, student=DISTILLER)
CENTRES = dict(type='mmsmoke.FalsePositiveCentresHook')
FPR = dict(type='mmsmoke.FalsePositiveLoss', centres=2)
CROPS = dict(type='mmsmoke.CropContrastLoss', crops=2, crop_size=16, width=8, queue=20, start=1)
TWO_HEADS = 'DiversifiedHead'
DISAGREE = dict(type='mmsmoke.DisagreementLoss')


@pytest.fixture
def train(tiny_dataset, tmp_path, request):
    root = tiny_dataset(splits=dict(train=8, val=4), size=(40, 32))
    config = tmp_path / 'config.py'

    def run(network, *aux, head='CAMHead', hooks=(), name='run', killed_at=None, **options):
        text = NETWORKS[network].format(root=request.config.rootpath, aux=list(aux), head=head)
        config.write_text(text)
        settings = {
            'data_root': str(root),
            'train_cfg.max_epochs': 2,
            'param_scheduler': [],
            'train_dataloader.batch_size': 4,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'val_dataloader.num_workers': 0,
            'val_dataloader.persistent_workers': False,
            'custom_hooks': list(hooks),
            **options,
        }
        cfg = load_config(config, tmp_path / name, settings)
        resume(cfg)
        cfg.experiment_name = f'{tmp_path.name}_{name}_{killed_at}'
        runner = build_runner(cfg)
        runner.register_hook(Killer(killed_at))
        logged = runner.message_hub.log_scalars
        try:
            runner.train()
        except Killed:
            return None
        last = tmp_path / name / f'epoch_{cfg.train_cfg.max_epochs}.pth'
        return torch.load(last, weights_only=False)['state_dict'], logged

    return run


def of(state, name):
    return next(value for key, value in state.items() if key.endswith(f'aux.0.{name}'))


@pytest.mark.parametrize('network', NETWORKS)
def test_false_positives(train, network):
    state, logged = train(network, FPR, hooks=[CENTRES])
    assert of(state, 'counts').tolist() == [[2, 2]]
    for name in ('loss_fpr_region', 'loss_fpr_pixel'):
        values = logged[f'train/{name}'].data[0]
        assert len(values) == 2  # of the second epoch alone
    assert (logged['train/loss_fpr_region'].data[0] > 0).all()


def test_a_teacher_that_learns_has_its_own_centres(train):
    options = {'model.teacher.aux': [FPR]}
    state, _ = train('student', FPR, hooks=[CENTRES], **options)
    assert state['teacher.aux.0.counts'].any() and state['student.aux.0.counts'].all()
    assert state['teacher.aux.0.centres'].shape[-1] == 32


def test_before_its_epoch_the_hook_changes_nothing(train):
    plain, _ = train('cnn', name='plain')
    state, logged = train('cnn', FPR, hooks=[dict(CENTRES, begin=2)])
    assert not of(state, 'counts').any() and 'train/loss_fpr_region' not in logged
    assert all(torch.equal(state[key], value) for key, value in plain.items())


@pytest.mark.parametrize('network', NETWORKS)
def test_crops(train, network):
    state, logged = train(network, CROPS)
    crops = logged['train/loss_crops'].data[0]
    assert crops[0] == 0 and (crops[1:] > 0).all()
    assert of(state, 'steps') == 4 and (of(state, 'queue_tags') >= 0).any()


@pytest.mark.parametrize('network', NETWORKS)
def test_disagreement_on_unlabelled_images(train, network):
    unlabelled = {'train_dataloader.dataset.unlabelled': dict(camera='south')}
    _, logged = train(network, DISAGREE, head=TWO_HEADS, **unlabelled)
    assert (logged['train/loss_disagreement'].data[0] > 0).any()
    assert torch.tensor(logged['train/loss'].data[0]).isfinite().all()


def test_all_at_once(train):
    unlabelled = {'train_dataloader.dataset.unlabelled': dict(camera='south')}
    _, logged = train('cnn', FPR, CROPS, DISAGREE, head=TWO_HEADS, hooks=[CENTRES], **unlabelled)
    names = ('fpr_region', 'fpr_pixel', 'crops', 'crops_prototype', 'disagreement')
    assert all(f'train/loss_{name}' in logged for name in names)


def test_a_resumed_training_goes_on_with_its_centres_and_its_queue(train):
    settings = dict(hooks=[CENTRES], **{'train_cfg.max_epochs': 3})
    straight, _ = train('cnn', FPR, CROPS, name='straight', **settings)
    assert train('cnn', FPR, CROPS, name='resumed', killed_at=5, **settings) is None
    resumed, _ = train('cnn', FPR, CROPS, name='resumed', **settings)
    assert same(dict(straight), dict(resumed))


def test_the_hook_needs_its_loss(train):
    with pytest.raises(UserError, match='needs a classifier with aux='):
        train('cnn', hooks=[CENTRES])
