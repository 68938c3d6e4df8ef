import torch
from torch import Tensor, nn

from mmsmoke.registry import MODELS

from .cam_head import CAMHead


@MODELS.register_module()
class DiversifiedHead(CAMHead):
    """Classify by several heads at once, of which the first makes predictions and maps.

    Each is a :class:`CAMHead` and learns from all labels. By themselves they end alike; a
    ``mmsmoke.DisagreementLoss`` makes them differ on unlabelled images. ``tools/choose_head.py``
    puts the best one first.

    Args: as :class:`CAMHead`, without a background, and
        heads: how many.

    Example:
        >>> head = DiversifiedHead(num_classes=2, in_channels=8, heads=3)
        >>> feats = (torch.rand(1, 8, 7, 7),)
        >>> head(feats).shape, head.all_logits(feats).shape
        (torch.Size([1, 2]), torch.Size([1, 3, 2]))
    """

    def __init__(self, *args, heads: int = 2, **kwargs):
        super().__init__(*args, **kwargs)
        if self.background:
            raise ValueError('a DiversifiedHead has no background channel')
        if heads < 2:
            raise ValueError(f'heads must be at least 2, got {heads}')
        self.heads = heads
        bias = self.classifier.bias is not None
        self.classifier = nn.Conv2d(self.in_channels, heads * self.num_classes, 1, bias=bias)

    def all_maps(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the class maps of all heads, [B, M, K, h, w]."""
        return self.classifier(self.pre_logits(feats)).unflatten(1, (self.heads, -1))

    def all_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of all heads, [B, M, K]."""
        maps = self.all_maps(feats)
        return self.pool(maps.flatten(1, 2), 1).view(maps.shape[:3])

    def class_maps(self, feats: tuple[Tensor, ...]) -> Tensor:
        return self.all_maps(feats)[:, 0]

    def put_first(self, index: int) -> None:
        """Exchange the first head and another one."""
        with torch.no_grad():
            for parameter in self.classifier.parameters():
                heads = parameter.unflatten(0, (self.heads, -1))
                heads[[0, index]] = heads[[index, 0]]

    def loss(self, feats: tuple[Tensor, ...], data_samples: list, **kwargs) -> dict[str, Tensor]:
        """Return the mean of the losses of all heads."""
        losses = [
            self._get_loss(logits, data_samples, **kwargs)['loss']
            for logits in self.all_logits(feats).unbind(1)
        ]
        return dict(loss=torch.stack(losses).mean())
