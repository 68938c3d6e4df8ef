# SETR as in the thesis: wide and shallow, patches of 32 pixels, from scratch, one logit and BCE.
# The encoder's norms stand where mmseg has them: before each step, not after it.
_base_ = [
    '../_base_/models/encoder_decoder.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/segment_runtime.py',
]

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
# What the script of the thesis' author has by default: no warm-up, no decay of weights.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
param_scheduler = [dict(type='StepLR', step_size=10, gamma=0.7)]
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
