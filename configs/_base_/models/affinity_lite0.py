# PSA's head on EfficientNet-Lite0 at stride 8, with the ImageNet weights of a package.
_base_ = './affinity_resnet18-s.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmsmoke.TIMMPyramid',
        model_name='tf_efficientnet_lite0',
        output_stride=8,
        out_indices=(2, 3, 4),
        init_cfg=dict(type='Pretrained', checkpoint='package://efficientnet-lite0'),
    ),
    head=dict(in_channels=(40, 112, 320), widths=(32, 64, 128)),
)
