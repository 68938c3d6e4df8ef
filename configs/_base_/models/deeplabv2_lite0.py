# The same trunk under DeepLabV2's added branches and losses, gaps half of the literature's.
_base_ = './deeplabv1_lite0.py'

model = dict(
    type='mmsmoke.MultiScaleEncoderDecoder',
    decode_head=dict(
        _delete_=True,
        type='mmsmoke.AddedASPPHead',
        in_channels=320,
        dilations=(3, 6, 9, 12),
        num_classes=2,
        loss_decode=dict(type='mmsmoke.BalancedCrossEntropyLoss'),
    ),
)
