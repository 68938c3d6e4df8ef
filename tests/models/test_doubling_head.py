import pytest
import torch

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
        3 * 2 ** len(widths),
        5 * 2 ** len(widths),
    )
    convolutions = [step.conv for step in net.steps if hasattr(step, 'conv')]
    assert [c.out_channels for c in convolutions] == list(widths)
    assert [c.in_channels for c in convolutions] == [12, *widths[:-1]]


def test_the_whole_head_learns():
    net = head()
    net([torch.rand(2, 12, 3, 3)]).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_ignored_pixels_teach_nothing():
    net = head().eval()
    logits = net([torch.rand(1, 12, 4, 4)]).detach().requires_grad_()
    truth = torch.randint(0, 2, (1, 16, 16))
    truth[:, 8:] = 255
    net.loss_decode(logits, truth, ignore_index=255).backward()
    assert logits.grad[:, :, :8].abs().min() > 0 and not logits.grad[:, :, 8:].any()
