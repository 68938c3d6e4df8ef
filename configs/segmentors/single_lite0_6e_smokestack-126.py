_base_ = [
    '../_base_/models/single.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

model = dict(
    classifier=dict(
        config='cam/lite0_3e_smokestack-126.py',
        backbone=dict(out_indices=(1, 2, 3, 4)),
        head=dict(pool=0.1),
    ),
    decode_head=dict(
        _delete_=True,
        type='SegformerHead',
        in_channels=[24, 40, 112, 320],
        in_index=[0, 1, 2, 3],
        channels=64,
        dropout_ratio=0,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        init_cfg=dict(type='Normal', std=0.1, override=dict(name='conv_seg')),  # see mlp_lite0.py
        loss_decode=dict(type='mmsmoke.BalancedCrossEntropyLoss', loss_weight=0.1),
    ),
)
