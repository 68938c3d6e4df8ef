import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmsmoke.models import DoublingHead


def head(widths=(16, 8), **kwargs):
    torch.manual_seed(0)
    loss = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True)
    return DoublingHead(
        widths, in_channels=12, in_index=0, num_classes=2, out_channels=1, threshold=0.5,
        norm_cfg=dict(type='BN'), loss_decode=loss, dropout_ratio=0, **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize('widths', [(8,), (16, 8), (16, 8, 4, 2)])
def test_each_step_doubles_the_map_and_has_its_width(widths):
    net = head(widths)
    assert net([torch.rand(2, 12, 3, 5)]).shape == (
        2,
        1,
        6 * 2 ** len(widths),  # the first doubling is a step of its own
        10 * 2 ** len(widths),
    )
    convolutions = [step.conv for step in net.steps if hasattr(step, 'conv')]
    assert [c.out_channels for c in convolutions] == list(widths)
    assert [c.in_channels for c in convolutions] == [12, *widths[:-1]]


def test_the_first_doubling_makes_four_places_of_each():
    """Other places have no say in it, so those of the same content stay the same."""
    net = head()
    maps = torch.rand(1, 12, 1, 1).expand(1, 12, 3, 5)
    first = net.steps[:2](maps)
    assert first.shape == (1, 12, 6, 10)
    assert torch.allclose(first, first[..., :2, :2].tile(3, 5), atol=1e-6)
    assert not torch.allclose(first[..., 0, 0], first[..., 0, 1])


def test_the_whole_head_learns():
    net = head()
    net([torch.rand(2, 12, 3, 3)]).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_ignored_pixels_teach_nothing():
    net = head().eval()
    logits = net([torch.rand(1, 12, 4, 4)]).detach().requires_grad_()
    truth = torch.randint(0, 2, (1, 32, 32))
    truth[:, 16:] = 255
    net.loss_decode(logits, truth, ignore_index=255).backward()
    assert logits.grad[:, :, :16].abs().min() > 0 and not logits.grad[:, :, 16:].any()


def sample(truth):
    return SegDataSample(gt_sem_seg=PixelData(data=truth))


def test_a_batch_that_is_wholly_open_is_no_loss():
    net = head()
    maps = torch.rand(2, 12, 2, 2)
    losses = net.loss_by_feat(net([maps]), [sample(torch.full((1, 16, 16), 255))] * 2)
    assert {name: float(value) for name, value in losses.items()} == {'loss_ce': 0}
    losses['loss_ce'].backward()
    assert not any(parameter.grad.any() for parameter in net.parameters())


def test_one_channel_has_no_accuracy_to_show():
    """mmseg's would be the share of background, whatever is predicted."""
    net = head()
    truth = torch.randint(0, 2, (1, 16, 16))
    losses = net.loss_by_feat(net([torch.rand(2, 12, 2, 2)]), [sample(truth)] * 2)
    assert set(losses) == {'loss_ce'} and losses['loss_ce'] > 0
