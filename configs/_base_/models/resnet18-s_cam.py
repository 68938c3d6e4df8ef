# ResNet-18 at half width and output stride 8, without its last stage: for small pictures.
_base_ = './resnet18_cam.py'

model = dict(
    backbone=dict(
        num_stages=3,
        stem_channels=32,
        base_channels=32,
        strides=(1, 2, 1),
        dilations=(1, 1, 1),
        out_indices=(2,),
        init_cfg=None,
    ),
    head=dict(in_channels=128),
)
