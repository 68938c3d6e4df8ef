# DINOv2 ViT-S/14 with the weights of a package; every patch is classified by a linear layer.
_base_ = [
    '../_base_/models/encoder_decoder.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged-vit_3e.py',
    '../_base_/segment_runtime.py',
]

model = dict(
    data_preprocessor=dict(size_divisor=14),
    backbone=dict(
        type='mmpretrain.VisionTransformer',
        arch='dinov2-small',
        img_size=224,
        patch_size=14,
        layer_scale_init_value=1e-5,
        out_type='featmap',
        out_indices=(11,),
        init_cfg=dict(type='Pretrained', checkpoint='package://dinov2-small'),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=384,
        in_index=0,
        channels=384,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0,
        num_classes=2,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch-own_lite0_dinov2-s_3e_weakseg-168_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
