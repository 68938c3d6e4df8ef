import torch
from torch import Tensor, nn


class Renormalize(nn.Module):
    """Turn a batch that one data preprocessor normalised into what another would have made of it.

    Args:
        source, target: data preprocessors of mmpretrain, with or without mean and std. If they
            agree, batches pass unchanged.
    """

    def __init__(self, source: nn.Module, target: nn.Module):
        super().__init__()
        mean, std = statistics(source)
        target_mean, target_std = statistics(target)
        self.swap_channels = source.to_rgb != target.to_rgb
        if self.swap_channels:
            mean, std = mean.flip(0), std.flip(0)
        scale, shift = std / target_std, (mean - target_mean) / target_std
        self.same = bool((scale == 1).all() and (shift == 0).all())
        self.register_buffer('scale', scale, persistent=False)
        self.register_buffer('shift', shift, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Turn [B, 3, H, W] into [B, 3, H, W]."""
        if self.swap_channels:
            inputs = inputs.flip(1)
        return inputs if self.same else inputs * self.scale + self.shift


def statistics(preprocessor: nn.Module) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation [3, 1, 1] in the channel order of its output."""
    ones = torch.ones(3, 1, 1)
    return getattr(preprocessor, 'mean', 0 * ones), getattr(preprocessor, 'std', ones)
