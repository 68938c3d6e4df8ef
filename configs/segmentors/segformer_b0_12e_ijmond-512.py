_base_ = [
    '../_base_/models/encoder_decoder.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/transformer_12e.py',
    '../_base_/segment_runtime.py',
]

weights = (
    'https://mmassets.onedl.ai/mmsegmentation/v0.5/pretrain/segformer/mit_b0_20220624-7e0fe6dd.pth'
)
model = dict(
    backbone=dict(
        type='MixVisionTransformer',
        embed_dims=32,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        drop_path_rate=0.1,
        init_cfg=dict(type='Pretrained', checkpoint=weights),
    ),
    decode_head=dict(
        type='SegformerHead',
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
# mmseg's: a new head learns ten times as fast
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))
