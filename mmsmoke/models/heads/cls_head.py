import torch.nn.functional as F
from mmpretrain.models import MultiLabelClsHead
from torch import Tensor, nn

from mmsmoke.registry import MODELS


@MODELS.register_module()
class CLSHead(MultiLabelClsHead):
    """Classify by one linear layer on the CLS token, the head of the thesis' student.

    The backbone gives the CLS token and the patch map, as
    :class:`~mmsmoke.models.backbones.ViTWithCLS` does. The head alone says nothing about places:
    read its maps out with :class:`~mmsmoke.models.cams.GradCAM`. ``class_maps`` applies the same
    layer to every patch instead (the auxiliary map of ACR).

    Args:
        num_classes: K foreground classes, one sigmoid each.
        in_channels: width of the tokens.
        loss, thr, topk, init_cfg: as in mmpretrain's MultiLabelClsHead.

    Example:
        >>> head = CLSHead(num_classes=2, in_channels=8)
        >>> feats = (torch.rand(1, 8), torch.rand(1, 8, 7, 7))
        >>> head(feats).shape, head.class_maps(feats).shape
        (torch.Size([1, 2]), torch.Size([1, 2, 7, 7]))
    """

    background = False

    def __init__(self, num_classes: int, in_channels: int, **kwargs):
        kwargs.setdefault('init_cfg', dict(type='Normal', layer='Linear', std=0.01))
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.classifier = nn.Linear(in_channels, num_classes)

    def class_maps(self, feats: tuple[Tensor, Tensor]) -> Tensor:
        """Return signed evidence for each class at each patch, [B, K, h, w]."""
        _, patches = feats
        weight = self.classifier.weight[:, :, None, None]
        return F.conv2d(patches, weight, self.classifier.bias)

    def forward(self, feats: tuple[Tensor, Tensor]) -> Tensor:
        cls_token, _ = feats
        return self.classifier(cls_token)
