import math

import pytest
import torch
import torch.nn.functional as F

from mmsmoke.functional import supervised_contrast

DICE = torch.Generator().manual_seed(0)
TAGS = torch.tensor([0, 0, 1, 1])


def vectors(spread):
    """Return crops of two kinds, near each other or not."""
    kinds = torch.eye(8)[TAGS]
    return F.normalize(kinds + spread * torch.randn(4, 8, generator=DICE), dim=1)


def test_it_is_lower_when_those_of_a_kind_are_near_each_other():
    near, far = (supervised_contrast(x, x, TAGS, TAGS) for x in (vectors(0.05), vectors(2)))
    assert near < far


def test_it_is_higher_when_kinds_are_near_each_other():
    apart, alike = vectors(0.05), torch.eye(8)[:1].expand(4, 8)
    assert supervised_contrast(alike, alike, TAGS, TAGS) == pytest.approx(math.log(4))
    assert supervised_contrast(apart, apart, TAGS, TAGS) < math.log(4)


def test_it_is_cross_entropy_where_every_kind_has_one_key():
    queries, keys = vectors(1), torch.eye(8)[:3]
    found = supervised_contrast(queries, keys, TAGS, torch.arange(3), 0.5)
    torch.testing.assert_close(found, F.cross_entropy(queries @ keys.T / 0.5, TAGS))


def test_a_query_of_several_like_keys_costs_their_mean():
    query, keys = F.normalize(torch.ones(1, 4), dim=1), torch.eye(4)
    tags = torch.tensor([0, 0, 0, 1])
    assert supervised_contrast(query, keys, tags[:1], tags).item() == pytest.approx(math.log(4))


def test_what_has_no_tag_is_left_out():
    queries = vectors(1).requires_grad_()
    tags = torch.tensor([0, -1, 1, -1])
    found = supervised_contrast(queries, vectors(1), tags, TAGS)
    found.backward()
    assert queries.grad[[0, 2]].any(1).all() and not queries.grad[[1, 3]].any()
    keys = torch.cat([torch.eye(8), vectors(1)])
    unknown = torch.cat([torch.full((8,), -1), TAGS])
    torch.testing.assert_close(
        supervised_contrast(queries, keys, TAGS, unknown),
        supervised_contrast(queries, keys[8:], TAGS, TAGS),
    )


@pytest.mark.parametrize('tags, key_tags', [(-1, 0), (0, -1), (0, 1)])
def test_without_a_pair_it_is_zero_with_a_gradient(tags, key_tags):
    queries = vectors(1).requires_grad_()
    args = torch.full((4,), tags), torch.full((4,), key_tags)
    found = supervised_contrast(queries, vectors(1), *args)
    found.backward()
    assert found == 0 and not queries.grad.any()
