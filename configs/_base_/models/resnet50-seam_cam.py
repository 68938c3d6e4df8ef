# ResNet-50 at output stride 16 with SEAM's pixel correlation module, whose maps are read. As in the
# original, batch norms are fixed, and the stem and the first stage do not learn.
_base_ = './resnet50_cam.py'

model = dict(
    backbone=dict(
        type='mmsmoke.ResNetPCM',
        mode='seam',
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        frozen_stages=1,
        init_cfg=dict(_delete_=True, type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    cam=dict(type='mmsmoke.CorrelatedCAM'),
)
