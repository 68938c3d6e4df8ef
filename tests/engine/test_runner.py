import os

import pytest
import torch
from label_runs import label_config

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
