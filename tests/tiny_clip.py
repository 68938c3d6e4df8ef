"""A CLIP of a few thousand weights (but for the vocabulary's), for tests."""

import open_clip
import torch

TINY = dict(
    embed_dim=16,
    quick_gelu=True,
    vision_cfg=dict(image_size=32, layers=4, width=32, head_width=16, patch_size=8),
    text_cfg=dict(context_length=16, vocab_size=49408, width=16, heads=2, layers=1),
)


def tiny_clip(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    clip = open_clip.CLIP(**TINY).eval()
    with torch.no_grad():
        # random weights attend everywhere alike; these make a difference between patches
        for block in clip.visual.transformer.resblocks:
            block.attn.in_proj_weight.mul_(4)
        clip.visual.positional_embedding.mul_(4)
        clip.visual.ln_post.bias.normal_()
    return clip


def save_tiny_clip(path, **change):
    """A state dict as open_clip saves it; returns the path as a string."""
    torch.save({**tiny_clip().state_dict(), **change}, path)
    return str(path)


def config(weights, **change):
    return (
        dict(
            type='mmsmoke.CLIPES',
            checkpoint=str(weights),
            model=TINY,
            num_blocks=3,
            foreground=dict(smoke=['smoke', 'exhaust fumes'], fire=['fire']),
            background=['sky', 'cloud', 'tree'],
        )
        | change
    )
