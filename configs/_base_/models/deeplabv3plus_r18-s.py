# DeepLabV3+ on the small ResNet-18 of stage 1: for small pictures on a CPU.
_base_ = './deeplabv3plus_r50.py'

model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(
        type='ResNet',
        depth=18,
        num_stages=3,
        stem_channels=32,
        base_channels=32,
        strides=(1, 2, 1),
        dilations=(1, 1, 2),
        out_indices=(0, 1, 2),
        init_cfg=None,
    ),
    decode_head=dict(
        in_channels=128,
        in_index=2,
        channels=64,
        dilations=(1, 3, 6),
        c1_in_channels=32,
        c1_channels=16,
        dropout_ratio=0,
    ),
)
