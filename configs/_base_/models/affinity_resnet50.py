# PSA's head on a ResNet-50 at stride 8; as in PSA the first layers and all batch norms stay.
_base_ = './affinity_resnet18-s.py'

weights = (
    'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=50,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        out_indices=(1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(in_channels=(512, 1024, 2048), widths=(64, 128, 256)),
)
