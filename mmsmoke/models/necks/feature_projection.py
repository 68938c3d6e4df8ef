import math

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmsmoke.registry import MODELS

KINDS = ('conv1x1', 'linear', 'identity', 'frozen_random')


@MODELS.register_module()
class FeatureProjection(BaseModule):
    """Bring a network's features to the number of channels that another network's have.

    Args:
        in_channels: C of the maps or tokens.
        out_channels: D.
        kind: ``conv1x1`` (the method's) or ``linear``, the same function with its weight in
            another layout, both learned and with bias; ``identity``; or ``frozen_random``, which
            is drawn once from N(0, 1 / C), so that variance is kept, has no parameters and is
            saved with the network.
        num_extra_tokens: leading tokens that belong to no position (CLS, distillation, registers).
        init_cfg: as in mmengine's BaseModule; PyTorch's own initialisation if None.

    Example:
        >>> project = FeatureProjection(8, 2, num_extra_tokens=1)
        >>> project(torch.rand(1, 8, 4, 4)).shape
        torch.Size([1, 2, 4, 4])
        >>> project(torch.rand(1, 1 + 4 * 6, 8), hw=(4, 6)).shape
        torch.Size([1, 2, 4, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kind: str = 'conv1x1',
        num_extra_tokens: int = 0,
        init_cfg: dict | list[dict] | None = None,
    ):
        super().__init__(init_cfg)
        if kind not in KINDS:
            raise ValueError(f'kind must be one of {", ".join(KINDS)}, got {kind!r}')
        if kind == 'identity' and in_channels != out_channels:
            raise ValueError(
                f'identity keeps the number of channels: in_channels {in_channels} and '
                f'out_channels {out_channels} must be equal'
            )
        self.kind = kind
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_extra_tokens = num_extra_tokens
        if kind == 'conv1x1':
            self.layer = nn.Conv2d(in_channels, out_channels, 1)
        elif kind == 'linear':
            self.layer = nn.Linear(in_channels, out_channels)
        elif kind == 'frozen_random':
            weight = torch.randn(out_channels, in_channels, 1, 1) / math.sqrt(in_channels)
            self.register_buffer('weight', weight)

    def forward(self, x: Tensor | tuple[Tensor, ...], hw: tuple[int, int] | None = None) -> Tensor:
        """Project a map, a batch of tokens, or the last of a tuple of them.

        Args:
            x: [B, C, h, w], or tokens [B, num_extra_tokens + N, C] in row-major order.
            hw: the grid of the N tokens, square by default. A map has its own.

        Returns:
            [B, D, h, w].
        """
        x = x[-1] if isinstance(x, (tuple, list)) else x
        x = x if x.dim() == 4 else self._to_map(x, hw)
        if self.kind == 'conv1x1':
            return self.layer(x)
        if self.kind == 'linear':
            return self.layer(x.movedim(1, -1)).movedim(-1, 1)
        if self.kind == 'frozen_random':
            return F.conv2d(x, self.weight)
        return x

    def _to_map(self, tokens: Tensor, hw: tuple[int, int] | None) -> Tensor:
        patches = tokens[:, self.num_extra_tokens :]
        count = patches.shape[1]
        if hw is None:
            side = math.isqrt(count)
            if side * side != count:
                raise ValueError(f'{count} tokens make no square grid: give hw, their grid')
            hw = (side, side)
        if math.prod(hw) != count:
            raise ValueError(f'hw {tuple(hw)} has no room for exactly {count} tokens')
        return patches.transpose(1, 2).unflatten(2, tuple(hw))
