import torch.nn.functional as F
from mmpretrain.models import MultiLabelClsHead
from torch import Tensor, nn

from mmsmoke.registry import MODELS

POOLS = dict(avg=F.adaptive_avg_pool2d, max=F.adaptive_max_pool2d)


@MODELS.register_module()
class CAMHead(MultiLabelClsHead):
    """Classifies every position with one 1x1 convolution without bias, then pools.

    What it pools is the class activation map, so the map needs no gradient. A CNN's feature map
    and a ViT's patch tokens (``out_type='featmap'``) both have shape [B, C, h, w] and fit alike.

    Args:
        num_classes: K foreground classes, one sigmoid each.
        in_channels: C of the last feature map.
        pool: ``avg`` (CAM as first published, usual for CNNs) or ``max`` (usual for ViT patch
            classifiers: the logit is the strongest position).
        loss, thr, topk, init_cfg: as in mmpretrain's MultiLabelClsHead.

    Example:
        >>> head = CAMHead(num_classes=2, in_channels=8)
        >>> head((torch.rand(1, 8, 7, 7),)).shape
        torch.Size([1, 2])
    """

    def __init__(self, num_classes: int, in_channels: int, pool: str = 'avg', **kwargs):
        kwargs.setdefault('init_cfg', dict(type='Normal', layer='Conv2d', std=0.01))
        super().__init__(**kwargs)
        if pool not in POOLS:
            raise ValueError(f'pool must be one of {sorted(POOLS)}, got {pool!r}')
        self.num_classes = num_classes
        self.pool = POOLS[pool]
        self.classifier = nn.Conv2d(in_channels, num_classes, kernel_size=1, bias=False)

    def class_maps(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Signed evidence for each class at each position, [B, K, h, w]."""
        return self.classifier(self.pre_logits(feats))

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        return self.logits(self.class_maps(feats))

    def logits(self, class_maps: Tensor) -> Tensor:
        return self.pool(class_maps, 1).flatten(1)

    def predict(self, feats: tuple[Tensor, ...], data_samples: list | None = None) -> list:
        """Add ``pred_scores`` [K] and ``cams`` [K, h, w] to the samples."""
        class_maps = self.class_maps(feats)
        data_samples = self._get_predictions(self.logits(class_maps), data_samples)
        for sample, cams in zip(data_samples, class_maps.relu(), strict=True):
            sample.cams = cams
        return data_samples
