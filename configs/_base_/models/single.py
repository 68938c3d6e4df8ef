# A classifier and a decoder on one backbone; the classifier's maps become the decoder's masks. The
# thresholds and the weight are AFA's. The decoder classifies each patch of DINOv2-S.
model = dict(
    type='mmsmoke.SingleStageSegmentor',
    labels=dict(high=0.55, low=0.35, refine='par'),
    warm_up=1 / 3,
    data_preprocessor=dict(size_divisor=14),
    decode_head=dict(
        type='FCNHead',
        in_channels=384,
        channels=384,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0,
        num_classes=2,
        loss_decode=dict(type='mmsmoke.BalancedCrossEntropyLoss', loss_weight=0.1),
    ),
    test_cfg=dict(mode='whole'),
)
