import multiprocessing
import os

import pytest
import torch
from label_runs import label_config
from mmengine.config import Config

from mmsmoke.engine import runner
from mmsmoke.engine.launch import build_runner


@pytest.fixture
def restored(monkeypatch):
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG', raising=False)
    cudnn = torch.backends.cudnn.deterministic
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = cudnn
    os.environ.pop('CUBLAS_WORKSPACE_CONFIG', None)


def test_deterministic_means_where_torch_can(restored, tiny_dataset, tmp_path, checkpoint):
    cfg = label_config(tiny_dataset(), tmp_path / 'out', checkpoint())
    cfg.randomness = dict(seed=0, deterministic=True)
    cfg.experiment_name = tmp_path.name
    build_runner(cfg)
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ['CUBLAS_WORKSPACE_CONFIG']  # without it all products on a GPU are errors
    values = torch.zeros(3)
    with pytest.warns(UserWarning, match='put_ does not have a deterministic implementation'):
        values.put_(torch.tensor([1]), torch.tensor([5.0]))
    assert values.tolist() == [0, 5, 0]


def test_a_run_is_not_deterministic_unless_asked(restored, tiny_dataset, tmp_path, checkpoint):
    cfg = label_config(tiny_dataset(), tmp_path / 'out', checkpoint())
    cfg.experiment_name = tmp_path.name
    build_runner(cfg)
    assert not torch.are_deterministic_algorithms_enabled()
    assert 'CUBLAS_WORKSPACE_CONFIG' not in os.environ


def test_no_process_waits_for_another_epoch_when_a_run_has_ended(
    tiny_dataset, tmp_path, checkpoint
):
    cfg = label_config(tiny_dataset(), tmp_path / 'out', checkpoint())
    cfg.test_dataloader.update(num_workers=1, persistent_workers=True)
    cfg.experiment_name = tmp_path.name
    before = {*multiprocessing.active_children()}
    run = build_runner(cfg)
    run.test()
    assert {*multiprocessing.active_children()} <= before
    assert len(list(run.test_loop.dataloader)) == 2  # and it can be read again


def test_the_text_of_a_config_is_formatted_once(monkeypatch):
    calls, ordinary = [], runner._format

    def counted(code, **options):
        calls.append(code)
        return ordinary(code, **options)

    monkeypatch.setattr(runner, '_format', counted)
    runner._formatted.cache_clear()
    cfg = Config(dict(model=dict(type='A', sizes=list(range(40)))))
    text = cfg.pretty_text
    assert cfg.pretty_text == Config(cfg._cfg_dict).pretty_text == text and len(calls) == 1
    cfg.model.type = 'B'
    assert cfg.pretty_text == text.replace("'A'", "'B'") and len(calls) == 2
    assert runner.format_once('x  =  1', style_config='google') == ('x = 1\n', True)
    runner._formatted.cache_clear()
