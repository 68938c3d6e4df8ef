# IRN's boundary head on a frozen ResNet-50, at stride 4; without its instances.
_base_ = './affinity_resnet18-s.py'

weights = (
    'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    frozen_backbone=True,
    flip=True,
    backbone=dict(
        _delete_=True,
        type='mmsmoke.ResNetWithStem',
        depth=50,
        strides=(1, 2, 2, 1),
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(
        _delete_=True,
        type='mmsmoke.BoundaryAffinityHead',
        in_channels=(64, 256, 512, 1024, 2048),
        radius=10,
        walk_radius=5,
    ),
)
