from torch import Tensor, nn

from mmsmoke.registry import MODELS

from .cam_head import CAMHead


@MODELS.register_module()
class TransCAMHead(CAMHead):
    """Classify by a CNN's map and a transformer's CLS token at once, as TransCAM does.

    Li et al., TransCAM: Transformer Attention-based CAM Refinement (2022). A 3x3 convolution makes
    the class maps, a linear layer looks at the token, and the logit is the sum of both.
    :class:`~mmsmoke.models.cams.AttentionCAM` spreads the maps along the attention.

    Args: as :class:`CAMHead`, ``in_channels`` those of the map, and
        token_channels: width of the CLS token.

    Example:
        >>> head = TransCAMHead(num_classes=2, in_channels=16, token_channels=8)
        >>> head((torch.rand(1, 8), torch.rand(1, 16, 7, 7))).shape
        torch.Size([1, 2])
    """

    def __init__(self, num_classes: int, in_channels: int, token_channels: int, **kwargs):
        kwargs.setdefault('init_cfg', dict(type='Normal', layer=['Conv2d', 'Linear'], std=0.01))
        super().__init__(num_classes, in_channels, **kwargs)
        outputs, bias = self.classifier.out_channels, self.classifier.bias is not None
        self.classifier = nn.Conv2d(in_channels, outputs, 3, padding=1, bias=bias)
        self.token_classifier = nn.Linear(token_channels, num_classes)

    def forward(self, feats: tuple[Tensor, Tensor]) -> Tensor:
        cls_token, _ = feats
        return super().forward(feats) + self.token_classifier(cls_token)
