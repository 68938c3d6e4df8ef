import logging

import pytest
import torch

from mmsmoke.engine import AutocastOptimWrapper, optim_wrapper


@pytest.mark.parametrize('device, hardware, warned', [
    ('cpu', False, True),
    ('cpu', True, False),
    ('cuda', False, False),
])  # fmt: skip
def test_slow_bfloat16_is_said_before_training(monkeypatch, device, hardware, warned):
    said = []
    monkeypatch.setattr(optim_wrapper, 'get_device', lambda: device)
    monkeypatch.setattr(
        torch.ops.mkldnn, '_is_mkldnn_bf16_supported', lambda: hardware, raising=False
    )
    monkeypatch.setattr(optim_wrapper, 'print_log', lambda *args: said.append(args))
    weight = torch.nn.Parameter(torch.ones(1))
    AutocastOptimWrapper(optimizer=torch.optim.SGD([weight], lr=0.1))
    assert bool(said) == warned
    for text, _, level in said:
        assert 'bfloat16' in text and '--amp' in text and level == logging.WARNING


@pytest.mark.parametrize('hardware, dtype', [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bfloat16_only_where_it_is_fast(monkeypatch, hardware, dtype):
    monkeypatch.setattr(
        torch.ops.mkldnn, '_is_mkldnn_bf16_supported', lambda: hardware, raising=False
    )
    monkeypatch.setattr(optim_wrapper, 'get_device', lambda: 'cpu')
    layer = torch.nn.Linear(2, 2)
    wrapper = AutocastOptimWrapper(
        dtype='auto', optimizer=torch.optim.SGD(layer.parameters(), lr=0.1)
    )
    with wrapper.optim_context(layer):
        assert layer(torch.ones(1, 2)).dtype == dtype
