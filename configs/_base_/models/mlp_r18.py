# The whole ResNet-18 of stage 1 under the same decoder.
_base_ = './mlp_r18-s.py'

model = dict(
    data_preprocessor=dict(size_divisor=16),
    backbone=dict(
        num_stages=4,
        stem_channels=64,
        base_channels=64,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        out_indices=(0, 1, 2, 3),
    ),
    decode_head=dict(in_channels=[64, 128, 256, 512], in_index=[0, 1, 2, 3]),
)
