from functools import partial

import torch.nn.functional as F
from mmpretrain.models import MultiLabelClsHead
from torch import Tensor, nn

from mmsmoke.registry import MODELS


def mean_of_strongest(maps: Tensor, _: int, share: float) -> Tensor:
    """Pool maps [B, K, h, w] to the mean of this share of their highest values, [B, K, 1, 1].

    It is called as adaptive pools are, with the size 1.
    """
    values = maps.flatten(2)
    count = max(1, round(share * values.shape[-1]))
    return values.topk(count).values.mean(-1)[..., None, None]


POOLS = dict(avg=F.adaptive_avg_pool2d, max=F.adaptive_max_pool2d)


@MODELS.register_module()
class CAMHead(MultiLabelClsHead):
    """Classify every position with one 1x1 convolution, then pools.

    What it pools is the class activation map, so the map needs no gradient. A CNN's feature map
    and a ViT's patch tokens (``out_type='featmap'``) both have shape [B, C, h, w] and fit alike.

    Args:
        num_classes: K foreground classes, one sigmoid each.
        in_channels: C of the last feature map.
        pool: ``avg`` (CAM as first published, usual for CNNs), ``max`` (usual for ViT patch
            classifiers: the logit is the strongest position), or the share of the strongest
            positions whose mean the logit is, as 0.1.
        background: adds a last channel to the class maps, which no label supervises (thesis).
        bias: of the convolution; published CAMs have none, the thesis' teacher has one.
        loss, thr, topk, init_cfg: as in mmpretrain's MultiLabelClsHead.

    Example:
        >>> head = CAMHead(num_classes=2, in_channels=8)
        >>> head((torch.rand(1, 8, 7, 7),)).shape
        torch.Size([1, 2])
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        pool: str | float = 'avg',
        background: bool = False,
        bias: bool = False,
        **kwargs,
    ):
        kwargs.setdefault('init_cfg', dict(type='Normal', layer='Conv2d', std=0.01))
        super().__init__(**kwargs)
        if pool not in POOLS and not (isinstance(pool, float) and 0 < pool < 1):
            raise ValueError(
                f'pool must be one of {sorted(POOLS)} or between 0 and 1, got {pool!r}'
            )
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.background = background
        self.pool = POOLS.get(pool) or partial(mean_of_strongest, share=pool)
        self.classifier = nn.Conv2d(in_channels, num_classes + background, 1, bias=bias)

    def class_maps(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return signed evidence at each position, [B, K, h, w], or K + 1 with ``background``."""
        return self.classifier(self.pre_logits(feats))

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        return self.pool(self.class_maps(feats)[:, : self.num_classes], 1).flatten(1)
