# The thesis' variant: another trunk and other widths, at stride 16.
_base_ = './affinity_resnet18-s.py'

weights = 'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet101_8xb32_in1k_20210831-539c63f8.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=101,
        strides=(1, 2, 2, 1),
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(in_channels=(512, 1024, 2048), widths=(64, 128, 320), grid=-1),
)
