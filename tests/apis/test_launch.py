import pytest
from mmengine.config import Config

from mmsmoke.apis.launch import load_config, resume, use_mixed_precision
from mmsmoke.apis.sweep import mean_and_spread, sweep_table
from mmsmoke.engine import best_checkpoint, latest_checkpoint
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


def test_work_dir_is_option_then_config_then_name(tmp_path):
    named = write(tmp_path / 'plain.py', 'x = 1\n')
    chosen = write(tmp_path / 'chosen.py', "work_dir = 'mine'\n")
    assert load_config(named).work_dir == 'work_dirs/plain'
    assert load_config(chosen).work_dir == 'mine'
    assert load_config(chosen, work_dir='other').work_dir == 'other'


def test_resume_takes_the_newest_whole_checkpoint(tmp_path):
    cfg = Config(dict(work_dir=str(tmp_path)))
    assert resume(cfg) is None and cfg.resume is False
    for name in ('epoch_2.pth', 'epoch_10.pth', 'best_cam_image_iou_epoch_9.pth'):
        write(tmp_path / name, '')
    write(tmp_path / '.epoch_11.123.tmp.pth', 'half')
    write(tmp_path / 'last_checkpoint', '')  # torn by a crash
    assert resume(cfg) == tmp_path / 'epoch_10.pth'
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


def test_spread_needs_two_values():
    assert mean_and_spread([50.0]) == '50.0'
    assert mean_and_spread([1.0, 2.0, 3.0]) == '2.0 ± 1.0'


def test_sweep_table_has_a_row_a_variant_in_order():
    runs = [
        dict(variant=name, seed=seed, splits=dict(val={'label/accuracy': value + seed}))
        for seed in (0, 2)
        for name, value in (('easy', 90.0), ('biased', 80.0))
    ]
    table = sweep_table(dict(columns=[['accuracy', 'val', 'label/accuracy']], runs=runs))
    lines = [line.split('|')[1:-1] for line in table.splitlines()]
    assert [[cell.strip() for cell in line] for line in lines[2:]] == [
        ['easy', '2', '91.0 ± 1.4'],
        ['biased', '2', '81.0 ± 1.4'],
    ]
