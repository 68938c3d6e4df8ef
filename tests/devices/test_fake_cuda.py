"""The GPU that is not there has to be as strict as one that is."""

import copy
import io

import pytest
import torch
from fake_cuda import DeviceError, devices_of, fake_cuda
from torch import nn

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')


@pytest.fixture
def there():
    with fake_cuda():
        yield torch.arange(6.0, device='cuda').view(2, 3)


@pytest.mark.parametrize(
    'mistake',
    [
        lambda x: x + torch.ones(3),
        lambda x: torch.cat([x, torch.ones(1, 3)]),
        lambda x: torch.ones(2, 3)[x > 1],
        lambda x: torch.where(x > 1, torch.zeros(2, 3), x),
        lambda x: x.index_add_(0, torch.tensor([0]), x[:1]),
        lambda x: nn.Linear(3, 1)(x),
        lambda x: torch.rand(2, device='cuda', generator=torch.Generator()),
        lambda x: torch.save(x, io.BytesIO()),
    ],
)
def test_devices_that_mix_are_an_error(there, mistake):
    with pytest.raises(DeviceError):
        mistake(there)


@pytest.mark.parametrize('convert', [torch.Tensor.numpy, memoryview])
def test_what_lies_on_it_is_no_array(there, convert):
    with pytest.raises((TypeError, RuntimeError)):
        convert(there)
    assert there.cpu().numpy().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_a_gpu_allows_is_no_error(there):
    assert devices_of([there + torch.tensor(1.0), there[torch.tensor([0])], there * 2]) == {'cuda'}
    there[:, 1] = torch.tensor([7.0, 8.0])
    assert there.tolist() == [[0, 7, 2], [3, 8, 5]]
    assert there.is_cuda and bool((there > -1).all()) and there.sum().item() == 25


def test_views_share_what_they_hold(there):
    part = there[1]
    part += 1
    there[there > 5] = 0
    assert there.tolist() == [[0, 1, 2], [4, 5, 0]] and part.tolist() == [4, 5, 0]


def test_a_module_moves_with_all_that_it_registered(there):
    net = copy.deepcopy(nn.BatchNorm2d(2).to('cuda'))
    assert devices_of([*net.parameters(), *net.buffers()]) == {'cuda'}
    net(there.view(1, 2, 3, 1)).sum()
    assert net.running_mean.tolist() == pytest.approx([0.1, 0.4])


def test_autocast_is_that_of_a_gpu():
    with fake_cuda(torch.float16):
        matrix = torch.eye(2, device='cuda')
        assert (matrix @ matrix).dtype == torch.float16
        assert (matrix @ matrix).softmax(0).dtype == torch.float32
        with torch.autocast('cuda', enabled=False):
            assert (matrix @ matrix).dtype == torch.float32
    assert not torch.is_autocast_enabled('cuda')
