import pytest
import torch
from mmengine.config import Config

from mmsmoke.engine import best_checkpoint, latest_checkpoint
from mmsmoke.engine.launch import (
    build_runner,
    holds_student,
    load_config,
    resume,
    use_mixed_precision,
)
from mmsmoke.utils import UserError


def write(path, text):
    path.write_text(text)
    return path


def test_data_root_reaches_every_data_set(tmp_path):
    config = write(
        tmp_path / 'c.py',
        "data_root = 'a'\n"
        'train_dataloader = dict(dataset=dict(type="ConcatDataset", datasets=[\n'
        '    dict(data_root=data_root), dict(data_root=data_root)]))\n'
        'val_dataloader = dict(dataset=dict(data_root=data_root))\n',
    )
    cfg = load_config(config, options={'data_root': 'b'})
    assert [d.data_root for d in cfg.train_dataloader.dataset.datasets] == ['b', 'b']
    assert cfg.val_dataloader.dataset.data_root == cfg.data_root == 'b'


def test_one_data_set_can_still_be_given_its_own_root(tmp_path):
    config = write(
        tmp_path / 'c.py',
        "data_root = 'a'\n"
        'train_dataloader = dict(dataset=dict(type="ConcatDataset", datasets=[\n'
        '    dict(data_root=data_root), dict(data_root="another")]))\n'
        'val_dataloader = dict(dataset=dict(data_root=data_root))\n',
    )
    options = {'data_root': 'b', 'val_dataloader.dataset.data_root': 'c'}
    cfg = load_config(config, options=options)
    assert [d.data_root for d in cfg.train_dataloader.dataset.datasets] == ['b', 'another']
    assert cfg.val_dataloader.dataset.data_root == 'c'


def test_configs_of_the_package_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = load_config('configs/cam/resnet18-s_12e_smokestack-128.py')
    assert cfg.model.type == 'mmsmoke.CAMClassifier'
    with pytest.raises(UserError, match=r'config configs/cam/none\.py not found'):
        load_config('configs/cam/none.py')


def test_work_dir_is_option_then_config_then_name(tmp_path):
    named = write(tmp_path / 'plain.py', 'x = 1\n')
    chosen = write(tmp_path / 'chosen.py', "work_dir = 'mine'\n")
    assert load_config(named).work_dir == 'work_dirs/plain'
    assert load_config(chosen).work_dir == 'mine'
    assert load_config(chosen, work_dir='other').work_dir == 'other'


def test_resume_takes_the_newest_whole_checkpoint(tmp_path):
    cfg = Config(dict(work_dir=str(tmp_path)))
    resume(cfg)
    assert cfg.resume is False
    cfg.load_from = 'given.pth'
    resume(cfg)
    assert cfg.resume is True and cfg.load_from == 'given.pth'
    for name in ('epoch_2.pth', 'epoch_10.pth', 'best_cam_image_iou_epoch_9.pth'):
        write(tmp_path / name, '')
    write(tmp_path / '.epoch_11.123.tmp.pth', 'half')
    write(tmp_path / 'last_checkpoint', '')  # torn by a crash
    resume(cfg)
    assert cfg.resume is True and cfg.load_from == str(tmp_path / 'epoch_10.pth')
    assert latest_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'
    assert best_checkpoint(tmp_path) == tmp_path / 'best_cam_image_iou_epoch_9.pth'


def test_without_a_best_checkpoint_the_newest_serves(tmp_path):
    write(tmp_path / 'iter_500.pth', '')
    assert best_checkpoint(tmp_path) == tmp_path / 'iter_500.pth'
    assert best_checkpoint(tmp_path / 'nowhere') is None


def test_amp_refuses_an_optim_wrapper_that_it_would_break():
    with pytest.raises(UserError, match='ApexOptimWrapper'):
        use_mixed_precision(Config(dict(optim_wrapper=dict(type='ApexOptimWrapper'))))


def test_amp_on_a_cpu_drops_what_belongs_to_float16(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    wrapper = dict(type='AmpOptimWrapper', loss_scale='dynamic', optimizer=dict(type='SGD', lr=1))
    cfg = Config(dict(optim_wrapper=wrapper))
    use_mixed_precision(cfg)
    assert cfg.optim_wrapper.type == 'mmsmoke.AutocastOptimWrapper'
    assert 'loss_scale' not in cfg.optim_wrapper


def test_amp_on_a_gpu_scales_the_loss_unless_bfloat16_was_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper')))
    use_mixed_precision(cfg)
    assert cfg.optim_wrapper == dict(type='AmpOptimWrapper', loss_scale='dynamic')
    cfg = Config(dict(optim_wrapper=dict(type='mmsmoke.AutocastOptimWrapper')))
    use_mixed_precision(cfg)
    assert cfg.optim_wrapper.type == 'mmsmoke.AutocastOptimWrapper'


@pytest.mark.parametrize('hardware', [True, False])
def test_amp_on_a_gpu_is_float16_where_automatic_precision_would_be_float32(monkeypatch, hardware):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr('mmsmoke.engine.launch.has_fast_bfloat16', lambda: hardware)
    automatic = dict(type='mmsmoke.AutocastOptimWrapper', dtype='auto')
    cfg = Config(dict(optim_wrapper=automatic))
    use_mixed_precision(cfg)
    scaled = dict(type='AmpOptimWrapper', loss_scale='dynamic')
    assert cfg.optim_wrapper == (automatic if hardware else scaled)


@pytest.mark.parametrize('zipped', [True, False])
def test_distillers_are_told_by_their_checkpoints(tmp_path, zipped):
    path = tmp_path / 'epoch_1.pth'
    for name, expected in (('student.head.weight', True), ('head.student.weight', False)):
        for content in ({name: torch.zeros(1)}, dict(state_dict={name: torch.zeros(1)}, meta={})):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            assert holds_student(path) == expected


def test_parameters_that_do_not_learn_stay_out_of_the_optimizer_by_default(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text("optim_wrapper = dict(type='OptimWrapper')")
    ours = 'mmsmoke.LearnableOptimWrapperConstructor'
    assert load_config(config).optim_wrapper.constructor == ours
    cfg = load_config(config, options={'optim_wrapper.constructor': 'LearningRateDecay'})
    assert cfg.optim_wrapper.constructor == 'LearningRateDecay'


@pytest.mark.parametrize('launcher', ['slurm', 'mpi'])
def test_launchers_that_need_a_gpu_say_so(monkeypatch, launcher):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match=f'take --launcher pytorch, not {launcher}'):
        build_runner(Config(dict(launcher=launcher)))
