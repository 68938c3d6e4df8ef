"""Record what the blocks of a transformer attend to, for read-outs and for losses alike."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmsmoke.utils import UserError

from .layers import bare

SOFTMAX = (torch.softmax, Tensor.softmax, F.softmax)


class RecordedAttention:
    """Hold what the blocks of a transformer attend to in one forward pass.

    Attention is that after the softmax and before any dropout. Row i holds what token i attends to
    and adds up to one. Of the T tokens the last h * w are patches, row by row; CLS and its like
    come first.

    Attributes:
        means: attention averaged over heads, [B, T, T], of each block in the order of running.
        blocks: attention of each head, [B, heads, T, T], of those blocks that were asked for.
        grid: (h, w) of the patches.
    """

    def __init__(self):
        self.means: list[Tensor] = []
        self.blocks: list[Tensor] = []
        self.grid: tuple[int, int] | None = None

    @property
    def patches(self) -> int:
        """Say how many of the tokens are patches."""
        return math.prod(self.grid)


@contextmanager
def record_attention(
    backbone: nn.Module, start: int | None = None, heads: bool = True
) -> Iterator[RecordedAttention]:
    """Record what each block attends to in the first forward pass within the context.

    Fused attention, which never forms the matrix, is replaced by the same computation in steps
    while a block is recorded. Attention belongs to the autograd graph of the pass, in training,
    too: a loss may be made of it.

    Args:
        backbone: a ViT of mmpretrain or timm, or mmpretrain's Conformer, of which the blocks of
            the transformer's branch are recorded.
        start: index of the block at whose attention the autograd graph begins, negative ones from
            the end. What runs before keeps nothing for a backward pass, whatever the parameters
            and the grad mode outside. None leaves the graph as it is.
        heads: keep the attention of each head, of the blocks from ``start`` on, or of all; if not,
            only the means over heads are kept, which take a fraction of the memory.
    """
    layers = attention_layers(backbone)
    if start is not None:
        if not -len(layers) <= start < len(layers):
            raise UserError(
                f'{type(backbone).__name__} has {len(layers)} blocks, {-len(layers)} to '
                f'{len(layers) - 1}; there is no block {start}'
            )
        start %= len(layers)
    found = RecordedAttention()

    def note(attention: Tensor) -> Tensor:
        if attention.shape[-1] < found.patches:
            raise UserError(
                f'{type(bare(backbone)).__name__} attends within windows of '
                f'{attention.shape[-1]} of its {found.patches} patches, not between all patches'
            )
        index = len(found.means)
        if index == start:
            attention = attention.detach().requires_grad_()
            torch.set_grad_enabled(True)
        if heads and index >= (start or 0):
            found.blocks.append(attention)
        found.means.append(attention.mean(1))
        return attention

    def note_grid(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        found.grid = found.grid or tuple(output.shape[2:])

    with ExitStack() as stack:
        if start is not None:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.no_grad())
        stack.enter_context(patch_layer(backbone).register_forward_hook(note_grid))
        for index, layer in enumerate(layers):
            stack.enter_context(_recorded(layer, index, found.means, note))
        yield found


def attention_layers(backbone: nn.Module) -> list[nn.Module]:
    """Return the attention layer of each block, in the order in which they run.

    Example:
        >>> from mmpretrain.models import VisionTransformer
        >>> len(attention_layers(VisionTransformer('deit-tiny')))
        12
    """
    network = bare(backbone)
    if hasattr(network, 'trans_patch_conv'):  # Conformer
        others = (getattr(network, f'conv_trans_{i}') for i in range(2, network.fin_stage))
        return [network.trans_1.attn, *(block.trans_block.attn for block in others)]
    for name in ('layers', 'blocks'):  # of mmpretrain, of timm
        layers = [getattr(block, 'attn', None) for block in getattr(network, name, ())]
        if layers and all(isinstance(layer, nn.Module) for layer in layers):
            return layers
    raise _unknown(network)


def patch_layer(backbone: nn.Module) -> nn.Module:
    """Return the convolution that makes a map of patch tokens of an image."""
    network = bare(backbone)
    for path in ('trans_patch_conv', 'patch_embed.projection', 'patch_embed.proj'):
        try:
            return network.get_submodule(path)
        except AttributeError:
            continue
    raise _unknown(network)


def _unknown(network: nn.Module) -> UserError:
    return UserError(
        f'{type(network).__name__} has no attention between all patches that could be recorded: '
        "ViTs of mmpretrain and, with features_only=True, of timm have, and mmpretrain's Conformer"
    )


@contextmanager
def _recorded(
    layer: nn.Module, index: int, found: list[Tensor], note: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """Let an attention layer note what it attends to when it first runs."""
    mode, running = _Stepwise(note), ExitStack()

    def before(layer: nn.Module, inputs: tuple) -> None:
        if len(found) == index:
            running.enter_context(mode)

    def after(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        running.close()
        if len(found) <= index:
            raise UserError(
                f'{type(layer).__name__} uses neither a softmax nor scaled_dot_product_attention '
                'to attend, so that nothing can be recorded'
            )

    with layer.register_forward_pre_hook(before), layer.register_forward_hook(after), running:
        yield


class _Stepwise(TorchFunctionMode):
    """Let ``note`` see, and exchange, what comes out of the softmax of an attention."""

    def __init__(self, note: Callable[[Tensor], Tensor]):
        super().__init__()
        self.note = note

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return attend(*args, **kwargs, note=self.note)
        result = func(*args, **kwargs)
        return self.note(result) if func in SOFTMAX else result


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    note: Callable[[Tensor], Tensor],
) -> Tensor:
    """Do what PyTorch's scaled_dot_product_attention does, in steps.

    Args: as PyTorch's function, and
        note: is given the attention before dropout, and returns it.
    """
    if is_causal:
        raise UserError('attention that looks back only, as in texts, cannot be recorded')
    scores = query * (scale or query.shape[-1] ** -0.5) @ key.mT
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    attention = note(scores.softmax(-1))
    return (F.dropout(attention, dropout_p) if dropout_p else attention) @ value
