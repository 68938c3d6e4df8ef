# SETR as in the thesis: wide and shallow, patches of 32 pixels, from scratch, one logit and BCE.
# The norms of the encoder and what follows the fourth doubling are not known; these are mmseg's.
_base_ = './encoder_decoder.py'

model = dict(
    backbone=dict(
        type='VisionTransformer',
        img_size=512,
        patch_size=32,
        embed_dims=1024,
        num_layers=6,
        num_heads=16,
        out_indices=(5,),
        final_norm=True,
        norm_cfg=dict(type='LN', eps=1e-6),
    ),
    decode_head=dict(
        type='mmsmoke.DoublingHead',
        in_channels=1024,
        widths=(512, 256, 128, 64),
        in_index=0,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
    ),
)
