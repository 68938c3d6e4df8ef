# On a ViT-B of mmpretrain, as in stage 1, so that it may start from a classifier's or a distilled
# student's weights.
_base_ = [
    '../_base_/models/encoder_decoder.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/transformer_12e.py',
    '../_base_/segment_runtime.py',
]

weights = 'https://mmassets.onedl.ai/mmclassification/v0/vit/vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth'
norm_cfg = dict(type='BN', requires_grad=True)
loss_decode = dict(type='CrossEntropyLoss', avg_non_ignore=True)
model = dict(
    data_preprocessor=dict(size_divisor=16),
    backbone=dict(
        type='mmpretrain.VisionTransformer',
        arch='base',
        img_size=512,
        patch_size=16,
        out_type='featmap',
        out_indices=(2, 5, 8, 11),
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    neck=dict(
        type='MultiLevelNeck', in_channels=[768] * 4, out_channels=768, scales=[4, 2, 1, 0.5]
    ),
    decode_head=dict(
        type='UPerHead',
        in_channels=[768] * 4,
        in_index=[0, 1, 2, 3],
        channels=512,
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=norm_cfg,
        loss_decode=loss_decode,
    ),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels=768,
        in_index=3,
        channels=256,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=norm_cfg,
        loss_decode=dict(**loss_decode, loss_weight=0.4),
    ),
)
del loss_decode
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
