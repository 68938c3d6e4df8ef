# PSA's head on the small ResNet-18 of stage 1, on the grid of its first stage (stride 4).
model = dict(
    type='mmsmoke.AffinityNet',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=1,
    ),
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
    head=dict(
        type='mmsmoke.FeatureAffinityHead',
        in_channels=(32, 64, 128),
        widths=(16, 32, 64),
        radius=5,
    ),
)
