import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.func import functional_call

from mmsmoke.functional import (
    attention_affinity,
    box_mask,
    cams_to_scores,
    gradient_cam,
    normalize_cams,
    propagate,
    resize_maps,
)
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from ..cams.grad_cam import class_gradients, graph_from
from ..cams.layers import place_tokens
from .open_clip_model import check_names, embed_names, import_open_clip, load_clip


@MODELS.register_module()
class CLIPES(BaseModule):
    """Localise classes as CLIP-ES does: by a frozen CLIP and their names, without any training.

    Grad-CAM of a class' probability among the present classes and the background, at the first
    norm of the last block, spread along the attention between patches inside the boxes where the
    map is high. As in the authors' code, the image is described by the mean of its patch tokens.

    Args:
        checkpoint: file with CLIP's weights; see :func:`~.open_clip_model.load_clip`.
        foreground: for each class, in the order of the data set, the names it goes by. Their text
            embeddings are averaged: a class with many names is no likelier for it.
        background: names of what competes with the classes, each for itself.
        model: a name of open_clip's or such a config; weights of OpenAI's need a ``-quickgelu``.
        prompts: templates for the names, averaged too.
        num_blocks: of how many blocks, counted from the last, the attention is averaged.
        box_threshold: a box encloses what exceeds it, of a map from 0 to 1.
        max_size: larger images are shrunk to this long side. Memory grows with its fourth power:
            1024 x 1024 is 4096 patches of 16 x 16, and a head's attention between them 64 MiB.
    """

    def __init__(
        self,
        checkpoint: str,
        foreground: Mapping[str, Sequence[str]],
        background: Sequence[str],
        model: str | dict = 'ViT-B-16-quickgelu',
        prompts: Sequence[str] = ('a clean origami {}.',),
        num_blocks: int = 8,
        box_threshold: float = 0.4,
        max_size: int = 1024,
    ):
        super().__init__()
        check_names(foreground, background, prompts)
        clip = load_clip(model, checkpoint)
        blocks = len(clip.visual.transformer.resblocks)
        if not 1 <= num_blocks <= blocks:
            raise UserError(f'num_blocks must be from 1 to {blocks}, got {num_blocks}')
        if max_size < max(clip.visual.patch_size):
            raise UserError(f'max_size {max_size} is smaller than a patch')
        open_clip = import_open_clip()
        groups = [*foreground.values(), *([name] for name in background)]
        self.register_buffer('texts', embed_names(clip, groups, prompts))  # [K + B, D]
        self.register_buffer('scale', clip.logit_scale.exp())
        mean, std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1) * 255)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1) * 255)
        self.visual = clip.visual
        self.num_classes = len(foreground)
        self.num_blocks = num_blocks
        self.box_threshold = box_threshold
        self.max_size = max_size

    def forward(self, image: Tensor, present: Tensor, scores: Tensor | None = None) -> Tensor:
        """Return where the present classes are.

        Args:
            image: uint8 [H, W, 3] RGB.
            present: bool [K], one class or more.
            scores: [K, H, W] to spread in place of CLIP's own Grad-CAM.

        Returns:
            [K, H, W] in [0, 1]; min-max normalised on the grid of patches, absent classes zero.
        """
        present = present.to(self.texts.device)
        pixels = self.prepare(image)
        cams, attention = self.look(pixels, present)
        if scores is not None:
            cams = F.adaptive_avg_pool2d(scores.to(cams), cams.shape[1:])
        cams = normalize_cams(cams)
        affinity = attention_affinity(attention)
        spread = propagate(cams, affinity, box_mask(cams, self.box_threshold))
        return cams_to_scores(spread, image.shape[:2], present)

    def prepare(self, image: Tensor) -> Tensor:
        """Return [1, 3, h, w], normalised, its sides rounded up to multiples of a patch's."""
        pixels = image.to(self.mean.device, torch.float32).permute(2, 0, 1)[None]
        shrink = min(1, self.max_size / max(image.shape[:2]))
        size = [
            math.ceil(round(side * shrink, 6) / patch) * patch
            for side, patch in zip(image.shape[:2], self.visual.patch_size, strict=True)
        ]
        pixels = F.interpolate(pixels, size, mode='bicubic', antialias=True).clamp(0, 255)
        return (pixels - self.mean) / self.std

    def look(self, pixels: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Return Grad-CAMs [K, h, w] of either sign, and patches' attention [h * w, h * w]."""
        visual = self.visual
        grid = torch.Size(
            side // patch for side, patch in zip(pixels.shape[2:], visual.patch_size, strict=True)
        )
        blocks = visual.transformer.resblocks
        layers = [blocks[-1].ln_1, visual.ln_post]
        places = dict(positional_embedding=self.place_embeddings(grid))
        recorded = [block.attn for block in blocks[-self.num_blocks :]]
        with graph_from(layers) as outputs, recorded_attention(recorded) as attentions:
            functional_call(visual, places, pixels)
            tokens, last = (outputs[layer] for layer in layers)
            feature = F.normalize(last[:, 1:].mean(1) @ visual.proj, dim=-1)
            kept = torch.cat([present, present.new_ones(len(self.texts) - len(present))])
            logits = self.scale * feature @ self.texts[kept].T
            (gradients,) = class_gradients(log_odds(logits, int(present.sum())), [tokens])
        cams = tokens.new_zeros(len(present), *grid)
        # the CLS token has no place and no say in the channels' weights
        placed = (place_tokens(one, grid) for one in (tokens.detach(), gradients))
        cams[present] = gradient_cam(*placed)[0]
        return cams, torch.stack([weights[0, 1:, 1:] for weights in attentions]).mean(0)

    def place_embeddings(self, grid: torch.Size) -> Tensor:
        """Return [1 + h * w, C], the embeddings of CLS and places, interpolated to a grid."""
        cls, places = self.visual.positional_embedding.split([1, math.prod(self.visual.grid_size)])
        places = places.T.unflatten(1, self.visual.grid_size)[None]
        return torch.cat([cls, resize_maps(places, grid)[0].flatten(1).T])


def log_odds(logits: Tensor, count: int) -> Tensor:
    """Return log(p / (1 - p)) of the first ``count`` probabilities p of a softmax.

    Its gradient is a positive multiple of that of p, so a normalised Grad-CAM is the same; but
    where p is nearly 0 or 1, as CLIP's probabilities often are, that of p vanishes.

    Args:
        logits: [B, M], of M > 1 that compete.

    Returns:
        [B, count].
    """
    others = logits[:, None].expand(-1, count, -1)
    itself = torch.eye(count, logits.shape[1], dtype=torch.bool, device=logits.device)
    return logits[:, :count] - others.masked_fill(itself, -math.inf).logsumexp(-1)


@contextmanager
def recorded_attention(layers: Sequence[nn.MultiheadAttention]) -> Iterator[list[Tensor]]:
    """Collect the attention [B, L, L], averaged over heads, of the layers in order of running."""
    weights = []

    def ask(layer: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return args, {**kwargs, 'need_weights': True}

    def note(layer: nn.Module, args: tuple, output: tuple[Tensor, Tensor]) -> None:
        weights.append(output[1].detach())

    with ExitStack() as hooks:
        for layer in layers:
            hooks.enter_context(layer.register_forward_pre_hook(ask, with_kwargs=True))
            hooks.enter_context(layer.register_forward_hook(note))
        yield weights
