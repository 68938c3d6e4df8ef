import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from mmsmoke.models import FeatureCache
from mmsmoke.registry import MODELS


@MODELS.register_module()
class Counting(BaseModule):
    """Two levels of features; counts the pictures that it has looked at."""

    def __init__(self, levels=2, init_cfg=None):
        super().__init__(init_cfg)
        self.levels = levels
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.seen = 0

    def forward(self, x):
        self.seen += len(x)
        early = self.conv(x)
        return (early, self.norm(early)[..., ::2, ::2])[-self.levels :]


@pytest.fixture
def cache(tmp_path):
    torch.manual_seed(0)
    return FeatureCache(dict(type='mmsmoke.Counting'), folder=str(tmp_path))


def test_each_picture_is_looked_at_once_whatever_its_batch(cache):
    pictures = torch.randn(5, 3, 8, 9)
    cache.train()
    expected = cache.network(pictures)
    cache.network.seen = 0
    for batch in (pictures[:3], pictures[2:], pictures.flip(0)):
        found = cache(batch)
    assert cache.network.seen == 5
    for one, level in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, level.flip(0), rtol=1e-3, atol=1e-3)


def test_it_learns_nothing_not_even_statistics(cache):
    before = {name: value.clone() for name, value in cache.state_dict().items()}
    cache.train()
    assert not any(level.requires_grad for level in cache(torch.randn(2, 3, 8, 8)))
    assert not any(p.requires_grad for p in cache.parameters())
    for name, value in cache.state_dict().items():
        assert torch.equal(value, before[name])


def test_other_weights_and_other_pictures_find_nothing(cache, tmp_path):
    pictures = torch.randn(2, 3, 8, 8)
    cache(pictures)
    again = FeatureCache(dict(type='mmsmoke.Counting'), folder=str(tmp_path))
    again.load_state_dict(cache.state_dict())
    again(pictures)
    assert again.network.seen == 0
    again(pictures.flip(-1))
    assert again.network.seen == 2
    again.load_state_dict({name: value + 1 for name, value in cache.state_dict().items()})
    again(pictures)
    assert again.network.seen == 4


def test_weights_that_come_after_a_first_look_are_noticed(tmp_path):
    """A training looks at two pictures before it initialises its model."""
    torch.manual_seed(0)
    source = Counting()
    torch.save(source.state_dict(), tmp_path / 'start.pth')
    start = dict(type='Pretrained', checkpoint=str(tmp_path / 'start.pth'))
    cache = FeatureCache(
        dict(type='mmsmoke.Counting', init_cfg=start), folder=str(tmp_path / 'features')
    )
    picture = torch.randn(1, 3, 8, 8)
    before = cache(picture)
    cache.init_weights()
    source.eval()
    after = cache(picture)
    torch.testing.assert_close(after[0], source(picture)[0].detach(), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(before[0], after[0], atol=1e-2)


def test_other_settings_of_the_same_weights_find_nothing(cache, tmp_path):
    picture = torch.randn(1, 3, 8, 8)
    cache(picture)
    one = FeatureCache(dict(type='mmsmoke.Counting', levels=1), folder=str(tmp_path))
    one.load_state_dict(cache.state_dict())
    assert len(one(picture)) == 1 and one.network.seen == 1


def test_features_in_mixed_precision_are_kept_apart(cache, tmp_path):
    pictures = torch.rand(2, 3, 16, 16)
    exact = cache(pictures)[-1]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = cache(pictures)[-1]
        assert torch.equal(cache(pictures)[-1], mixed)
    assert torch.equal(cache(pictures)[-1], exact)
    assert 0 < (mixed - exact).abs().max() < 0.1


def test_its_checkpoints_are_those_of_the_network_alone(cache):
    model = nn.ModuleDict(dict(backbone=cache, head=nn.Linear(4, 1)))
    plain = nn.ModuleDict(dict(backbone=Counting(), head=nn.Linear(4, 1)))
    assert model.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(model.state_dict())
    model.load_state_dict(plain.state_dict())


def test_a_damaged_file_is_made_anew(cache, tmp_path):
    picture = torch.randn(1, 3, 8, 8)
    expected = cache(picture)
    (file,) = tmp_path.rglob('*.pth')
    file.write_bytes(file.read_bytes()[:-30])
    found = cache(picture)
    assert cache.network.seen == 2
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    cache(picture)
    assert cache.network.seen == 2


def test_random_pictures_do_not_fill_the_disk(tmp_path):
    cache = FeatureCache(dict(type='mmsmoke.Counting'), folder=str(tmp_path), most=3)
    first = cache(torch.ones(2, 3, 8, 8) * torch.arange(2).view(2, 1, 1, 1))
    cache(torch.randn(4, 3, 8, 8))
    assert len(list(tmp_path.rglob('*.pth'))) == 3 and len(first) == 2


def test_features_that_float16_cannot_hold_are_kept_whole(cache, tmp_path):
    pictures = torch.randn(2, 3, 8, 9)
    pictures[0] *= 1e6
    expected = cache.network(pictures)
    for _ in range(2):  # as they come, and from the disk
        for level, whole in zip(cache(pictures), expected, strict=True):
            torch.testing.assert_close(level, whole, rtol=1e-2, atol=1e-2)
