# EfficientNet-Lite0 with the ImageNet weights of a package, its maps at stride 8, under DeepLabV1's
# head. Gaps and width are a third and a quarter of the literature's, since maps are 16 to 21 wide
# instead of 56. The norms of the head follow batches as fast as others: training is short.
_base_ = './encoder_decoder.py'

model = dict(
    backbone=dict(
        type='mmsmoke.TIMMPyramid',
        model_name='tf_efficientnet_lite0',
        output_stride=8,
        init_cfg=dict(type='Pretrained', checkpoint='package://efficientnet-lite0'),
    ),
    decode_head=dict(
        type='mmsmoke.LargeFOVHead',
        in_channels=320,
        channels=128,
        dilation=4,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        # as in mlp_lite0.py: few pixels are smoke
        init_cfg=dict(type='Normal', std=0.1, override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
