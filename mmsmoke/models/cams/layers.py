from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from mmsmoke.utils import UserError

SUPPORTED = (
    "mmpretrain's ViTs, Swins, ResNets and ConvNeXts, and with features_only=True timm's ViTs, "
    'Swins and many of its CNNs'
)


def cam_layers(backbone: nn.Module) -> list[nn.Module]:
    """Return layers whose output a class activation map can weigh, in the order in which they run.

    Of a transformer, the first norm of every block: the only place in the last block where patch
    tokens still reach the logit of a CLS token. Of a CNN, its stages; of one with ``features_only``
    from timm, the stages among its ``out_indices``. A Swin of timm needs ``feature_cls='getter'``,
    too, to give maps [B, C, h, w].

    Example:
        >>> from mmpretrain.models import ResNet
        >>> len(cam_layers(ResNet(depth=18)))
        4
    """
    network = getattr(backbone, 'timm_model', backbone)
    if hasattr(network, 'return_layers'):  # timm's features_only for CNNs
        if network.output_fmt == 'NHWC':
            raise UserError(
                "this backbone of timm gives maps [B, h, w, C]: say feature_cls='getter', beside "
                'features_only=True, for the maps [B, C, h, w] that heads take'
            )
        return [network[name] for name in network.return_layers]
    if hasattr(network, 'res_layers'):  # ResNet of mmpretrain
        return [getattr(network, name) for name in network.res_layers]
    if hasattr(network, 'downsample_layers'):  # ConvNeXt of mmpretrain
        return list(network.stages)
    network = bare(backbone)
    for blocks, norm in (
        (getattr(network, 'layers', ()), 'ln1'),  # ViT of mmpretrain
        (getattr(network, 'blocks', ()), 'norm1'),  # ViT of timm
        (swin_blocks(network), 'norm1'),
    ):
        norms = [getattr(block, norm, None) for block in blocks]
        if norms and all(isinstance(layer, nn.Module) for layer in norms):
            return norms
    raise UserError(
        f'the layers of {type(network).__name__} are not known; Grad-CAM supports {SUPPORTED}'
    )


def choose_layers(backbone: nn.Module, indices: Sequence[int]) -> list[nn.Module]:
    """Return those of :func:`cam_layers` that indices name, negative ones from the end."""
    layers = cam_layers(backbone)
    count = len(layers)
    for index in indices:
        if not -count <= index < count:
            raise UserError(
                f'{type(backbone).__name__} has {count} layers for Grad-CAM, '
                f'{-count} to {count - 1}; there is no layer {index}'
            )
    return [layers[index] for index in indices]


def bare(backbone: nn.Module) -> nn.Module:
    """Take a transformer of timm out of the wrappers that mmpretrain and timm put around it."""
    network = getattr(backbone, 'timm_model', backbone)
    return getattr(network, 'model', network)


def swin_blocks(network: nn.Module) -> list[nn.Module]:
    """Return the blocks of all stages of a Swin of mmpretrain or timm, none of other networks."""
    stages = getattr(network, 'stages', getattr(network, 'layers', ()))
    return [block for stage in stages for block in getattr(stage, 'blocks', ())]


@contextmanager
def token_grids(backbone: nn.Module) -> Iterator[dict[nn.Module, torch.Size]]:
    """Note the grid of the tokens [B, N, C] that the first norm of each block of a Swin gives.

    It changes from stage to stage, and mmpretrain's blocks are told. Tokens of timm's Swins have
    the shape [B, h, w, C], and those of a ViT the grid of its last map.
    """
    grids = {}

    def note(block: nn.Module, inputs: tuple) -> None:
        if len(inputs) > 1:
            grids[block.norm1] = torch.Size(inputs[1])

    with ExitStack() as hooks:
        for block in swin_blocks(bare(backbone)):
            hooks.enter_context(block.register_forward_pre_hook(note))
        yield grids


def as_map(values: Tensor, layer: nn.Module, grid: torch.Size, leading: int = 1) -> Tensor:
    """Give the output of one of :func:`cam_layers`, or its gradient, the shape [..., C, h, w].

    Args:
        values: with so many ``leading`` dimensions [..., C, h, w], or [..., h, w, C] of a norm in
            a block, or tokens as :func:`place_tokens` takes them.
        grid: of the tokens.
    """
    if values.dim() - leading == 2:
        return place_tokens(values, grid)
    return values.movedim(-1, -3) if isinstance(layer, nn.LayerNorm) else values


def place_tokens(tokens: Tensor, grid: torch.Size) -> Tensor:
    """Place tokens [..., extra + h * w, C], CLS and its like first, as [..., C, h, w]."""
    if len(grid) != 2 or tokens.shape[-2] < grid.numel():
        raise UserError(
            "the backbone's last output must be the map [B, C, h, w] of its "
            f"{tokens.shape[-2]} tokens (out_type='featmap' in mmpretrain's ViTs), but after "
            f'[B, C] it has the shape {list(grid)}'
        )
    return tokens[..., -grid.numel() :, :].transpose(-2, -1).unflatten(-1, grid)
