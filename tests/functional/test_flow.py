import cv2
import numpy as np
import pytest
import torch

from mmsmoke.functional import flow_difference, optical_flow, seen_in_both, warp


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope='module')
def pictures():
    """A soft texture, and the same three pixels further right and two further up."""
    noise = np.random.default_rng(0).uniform(0, 255, (104, 104, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    soft = (255 * (soft - soft.min()) / np.ptp(soft)).astype(np.uint8)
    return soft[10:90, 10:90].copy(), soft[12:92, 7:87].copy()


def test_without_any_flow_maps_stay_exactly_what_they_are():
    maps, none = drawn(2, 7, 5), torch.zeros(2, 7, 5)
    assert torch.equal(warp(maps, none), maps)
    assert seen_in_both(none, none).all()


def test_without_any_flow_the_difference_is_plain():
    one, other, visible = drawn(2, 6, 6), drawn(2, 6, 6, seed=1), drawn(6, 6, seed=2)
    difference, together = flow_difference(one, other, torch.zeros(2, 6, 6), visible)
    assert torch.allclose(difference, ((one - other).abs() * visible).sum((1, 2)))
    assert torch.allclose(together, ((one + other) * visible).sum((1, 2)))


def test_warp_is_opencv_s_remap():
    maps, flow = drawn(1, 9, 8), 6 * drawn(2, 9, 8, seed=1) - 3
    x, y = np.meshgrid(np.arange(8, dtype=np.float32), np.arange(9, dtype=np.float32))
    expected = cv2.remap(
        maps[0].numpy(), x + flow[0].numpy(), y + flow[1].numpy(), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    np.testing.assert_allclose(warp(maps, flow)[0].numpy(), expected, atol=0.03)


def test_whole_pixels_are_fetched_back():
    maps = drawn(1, 6, 6)
    flow = torch.zeros(2, 6, 6)
    flow[0], flow[1] = 2, -1
    assert torch.equal(warp(maps, flow)[:, 1:, :-2], maps[:, :-1, 2:])


def test_covered_pixels_do_not_count():
    one, other = drawn(1, 5, 5), drawn(1, 5, 5, seed=1)
    hidden = torch.zeros(5, 5, dtype=torch.bool)
    difference, together = flow_difference(one, other, torch.zeros(2, 5, 5), hidden)
    assert difference.item() == together.item() == 0


def test_what_does_not_come_back_or_leaves_the_picture_is_not_seen_in_both():
    forward = torch.zeros(2, 6, 6)
    forward[0] = 2
    found = seen_in_both(forward, -forward)
    assert found[:, :4].all() and not found[:, 4:].any()
    backward = -forward
    backward[0, 3, 3] = 3  # at (3, 3) of the other frame is something that came from elsewhere
    found = seen_in_both(forward, backward)
    assert not found[3, 1] and found[2, 1] and found[3, 0]


def test_a_flow_is_found_and_maps_that_move_along_agree(pictures):
    first, second = pictures
    forward, backward = (
        torch.from_numpy(optical_flow(one, other))
        for one, other in ((first, second), (second, first))
    )
    inner = forward[:, 10:-10, 10:-10].flatten(1).median(1).values
    assert inner.tolist() == pytest.approx([3, -2], abs=0.1)
    visible = seen_in_both(forward, backward)
    assert visible[10:-10, 10:-10].float().mean() > 0.95
    maps = [torch.from_numpy(one[None, :, :, 0] / 255.0) for one in (first, second)]
    along, _ = flow_difference(*maps, forward.double(), visible)
    still, _ = flow_difference(*maps, torch.zeros_like(forward).double(), visible)
    assert along < 0.15 * still


def test_what_stands_still_has_no_flow_at_all(pictures):
    assert not optical_flow(pictures[0], pictures[0]).any()
    grey = pictures[0][..., 0]
    assert optical_flow(grey, grey).shape == (2, 80, 80)


def test_pictures_that_have_no_flow_are_refused(pictures):
    with pytest.raises(ValueError, match='one size'):
        optical_flow(pictures[0], pictures[0][:-1])
    with pytest.raises(ValueError, match='sides of at least 16'):
        optical_flow(pictures[0][:15], pictures[0][:15])
