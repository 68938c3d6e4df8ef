# The teacher of the thesis: ResNet-50 at output stride 16 with the pixel correlation module.
_base_ = './resnet50_cam.py'

model = dict(
    backbone=dict(
        type='mmsmoke.ResNetPCM',
        mode='thesis',
        init_cfg=dict(_delete_=True, type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(type='mmsmoke.PCMHead', init_cfg=dict(type='Kaiming', layer='Conv2d')),
)
