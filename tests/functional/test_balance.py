import pytest
import torch
from torch.nn import functional as F

from mmsmoke.functional import IGNORE, balanced_cross_entropy


def case(classes=3, size=(2, 5, 7), seed=0):
    dice = torch.Generator().manual_seed(seed)
    logits = torch.randn(size[0], classes, *size[1:], generator=dice)
    labels = torch.randint(0, classes, size, generator=dice)
    labels[:, 0] = IGNORE
    return logits.requires_grad_(), labels


def naive(logits, labels, weight=None):
    halves = {False: [], True: []}
    for image, row, column in torch.cartesian_prod(*map(torch.arange, labels.shape)).tolist():
        label = int(labels[image, row, column])
        if label == IGNORE:
            continue
        pixel = logits[image, :, row, column]
        loss = pixel.exp().sum().log() - pixel[label]
        halves[label > 0].append(loss * (1 if weight is None else weight[image, row, column]))
    return sum(sum(half) / len(half) for half in halves.values() if half) / 2


@pytest.mark.parametrize('classes', [2, 3])
@pytest.mark.parametrize('weighted', [False, True])
def test_a_loop_over_pixels_says_the_same(classes, weighted):
    logits, labels = case(classes)
    weight = torch.rand(labels.shape) if weighted else None
    expected = naive(logits, labels, weight)
    torch.testing.assert_close(balanced_cross_entropy(logits, labels, weight), expected)


@pytest.mark.parametrize('label', [0, 1, IGNORE])
def test_a_batch_of_one_kind_has_no_nan(label):
    logits, labels = case(2)
    loss = balanced_cross_entropy(logits, torch.full_like(labels, label))
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()
    assert (loss == 0) == (label == IGNORE) == (not logits.grad.any())
    if label != IGNORE:
        whole = F.cross_entropy(logits, torch.full_like(labels, label))
        torch.testing.assert_close(loss, whole / 2)


def test_ignored_pixels_teach_nothing():
    logits, labels = case()
    balanced_cross_entropy(logits, labels).backward()
    assert not logits.grad[:, :, 0].any() and logits.grad[:, :, 1:].abs().sum(1).all()


@pytest.mark.parametrize('pixels', [1, 6, 29])
def test_half_of_the_gradient_is_the_foreground_s_however_few_pixels_it_has(pixels):
    logits = torch.zeros(1, 2, 5, 6, requires_grad=True)
    labels = torch.zeros(1, 30, dtype=torch.long)
    labels[:, :pixels] = 1
    balanced_cross_entropy(logits, labels.view(1, 5, 6)).backward()
    of_smoke = logits.grad[0, 1].flatten()
    assert of_smoke[:pixels].sum().item() == pytest.approx(-0.25)
    assert of_smoke[pixels:].sum().item() == pytest.approx(0.25)


def test_one_logit_is_two_of_which_the_first_is_zero():
    logits, labels = case(2)
    one = logits[:, 1:] - logits[:, :1]
    torch.testing.assert_close(
        balanced_cross_entropy(one, labels), balanced_cross_entropy(logits, labels)
    )


def test_labels_may_be_bytes_and_logits_half():
    logits, labels = case(2)
    expected = balanced_cross_entropy(logits, labels)
    found = balanced_cross_entropy(logits.half(), labels.byte())
    assert found.dtype == torch.float32 and torch.allclose(found, expected, atol=1e-2)
