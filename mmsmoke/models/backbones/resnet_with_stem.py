from mmpretrain.models import ResNet
from torch import Tensor

from mmsmoke.registry import MODELS


@MODELS.register_module()
class ResNetWithStem(ResNet):
    """Give, beside the maps of mmpretrain's ResNet, that of its stem, after pooling, at stride 4.

    Boundaries are finest there (IRN). Checkpoints are the same.

    Args: as :class:`mmpretrain.models.ResNet`.

    Returns:
        The stem's map, then those of the stages in ``out_indices``.

    Example:
        >>> import torch
        >>> maps = ResNetWithStem(18, out_indices=(0, 3))(torch.rand(1, 3, 64, 64))
        >>> [list(each.shape[1:]) for each in maps]
        [[64, 16, 16], [64, 16, 16], [512, 2, 2]]
    """

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(x) if self.deep_stem else self.relu(self.norm1(self.conv1(x)))
        x = self.maxpool(x)
        maps = [x]
        for stage, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            if stage in self.out_indices:
                maps.append(x)
        return tuple(maps)
