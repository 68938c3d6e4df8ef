"""A SAM of a few thousand weights, for tests; its ``model_type`` is ``tiny``."""

from segment_anything import sam_model_registry
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)


def tiny_sam() -> Sam:
    """SAM's architecture, on 64 x 64 pixels instead of 1024 x 1024."""
    return Sam(
        ImageEncoderViT(
            img_size=64, patch_size=16, embed_dim=16, depth=2, num_heads=2, out_chans=16,
            use_rel_pos=True, window_size=2, global_attn_indexes=(1,),
        ),
        PromptEncoder(
            embed_dim=16, image_embedding_size=(4, 4), input_image_size=(64, 64), mask_in_chans=4
        ),
        MaskDecoder(
            transformer_dim=16,
            transformer=TwoWayTransformer(depth=1, embedding_dim=16, num_heads=2, mlp_dim=16),
        ),
    )  # fmt: skip


sam_model_registry['tiny'] = tiny_sam
