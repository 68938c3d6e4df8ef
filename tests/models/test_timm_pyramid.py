import torch
from mmpretrain.models import TIMMBackbone

from mmsmoke.models import TIMMPyramid


def test_it_computes_what_mmpretrain_s_does_in_another_order_of_memory():
    torch.manual_seed(0)
    plain = TIMMBackbone('tf_efficientnet_lite0', features_only=True)
    ours = TIMMPyramid('tf_efficientnet_lite0')
    ours.load_state_dict(plain.state_dict())
    plain.eval()
    ours.eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        for found, expected in zip(ours(images), plain(images), strict=True):
            assert found.is_contiguous(memory_format=torch.channels_last)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
