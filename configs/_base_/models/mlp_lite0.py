# EfficientNet-Lite0 with the ImageNet weights of a package, under SegFormer's all-MLP decoder.
_base_ = './encoder_decoder.py'

model = dict(
    data_preprocessor=dict(size_divisor=32),
    backbone=dict(
        type='mmsmoke.TIMMPyramid',
        model_name='tf_efficientnet_lite0',
        out_indices=(1, 2, 3, 4),
        init_cfg=dict(type='Pretrained', checkpoint='package://efficientnet-lite0'),
    ),
    decode_head=dict(
        type='SegformerHead',
        in_channels=[24, 40, 112, 320],
        in_index=[0, 1, 2, 3],
        channels=64,
        dropout_ratio=0,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        # Few pixels are smoke. With mmseg's 0.01 all channels learn to mean background first, and
        # after their ReLU nothing is left to tell smoke by: for epochs no pixel is called smoke.
        init_cfg=dict(type='Normal', std=0.1, override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
