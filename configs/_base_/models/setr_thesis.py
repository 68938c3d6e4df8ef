# SETR as in the thesis: wide and shallow, patches of 32 pixels, from scratch, one logit and BCE.
# The encoder's norms stand where mmseg has them: before each step, not after it.
_base_ = './encoder_decoder.py'

model = dict(
    backbone=dict(
        type='VisionTransformer',
        img_size=512,
        patch_size=32,
        embed_dims=1024,
        num_layers=6,
        num_heads=16,
        mlp_ratio=1,
        drop_rate=0.1,
        attn_drop_rate=0.1,
        out_indices=(5,),
        final_norm=True,
        norm_cfg=dict(type='LN', eps=1e-6),
    ),
    decode_head=dict(
        type='mmsmoke.DoublingHead',
        in_channels=1024,
        widths=(512, 256, 128, 64),
        in_index=0,
        dropout_ratio=0,
        align_corners=True,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
    ),
)
