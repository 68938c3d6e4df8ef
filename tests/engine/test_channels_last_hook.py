from types import SimpleNamespace

import torch
from torch import nn

from mmsmoke.engine import ChannelsLastHook


def test_the_model_computes_the_same_in_another_order_of_memory():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 2, 1))
    images = torch.randn(2, 3, 9, 9)
    expected = model(images)
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    found = model(images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert not found.is_contiguous()
    torch.testing.assert_close(found, expected)
