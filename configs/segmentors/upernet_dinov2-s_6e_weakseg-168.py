# The same trunk under UPerNet, trained twice as long.
_base_ = './linear_dinov2-s_3e_weakseg-168.py'

model = dict(
    backbone=dict(out_indices=(2, 5, 8, 11)),
    neck=dict(
        type='MultiLevelNeck', in_channels=[384] * 4, out_channels=384, scales=[4, 2, 1, 0.5]
    ),
    decode_head=dict(
        _delete_=True,
        type='UPerHead',
        in_channels=[384] * 4,
        in_index=[0, 1, 2, 3],
        channels=128,
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, begin=0, end=0.9, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=0.9, end=6, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=6)
