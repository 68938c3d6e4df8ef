# The small ResNet-18 of stage 1 under SegFormer's all-MLP decoder: for small pictures on a CPU.
_base_ = './encoder_decoder.py'

model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=18,
        num_stages=3,
        stem_channels=32,
        base_channels=32,
        strides=(1, 2, 1),
        dilations=(1, 1, 1),
        out_indices=(0, 1, 2),
    ),
    decode_head=dict(
        type='SegformerHead',
        in_channels=[32, 64, 128],
        in_index=[0, 1, 2],
        channels=64,
        dropout_ratio=0,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
