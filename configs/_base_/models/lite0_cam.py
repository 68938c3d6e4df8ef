# EfficientNet-Lite0 with the ImageNet weights of a package, no model hub needed. Its maps have
# stride 32; with output_stride=16 they are finer, and on photographs of 168 px worse.
model = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='mmsmoke.TIMMPyramid',
        model_name='tf_efficientnet_lite0',
        init_cfg=dict(type='Pretrained', checkpoint='package://efficientnet-lite0'),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=320),
)
