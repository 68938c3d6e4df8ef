# ResNet-18 at output stride 16: the last stage keeps its grid.
weights = (
    'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet18_8xb32_in1k_20210831-fbbb1da6.pth'
)
model = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        strides=(1, 2, 2, 1),
        out_indices=(3,),
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=512),
)
