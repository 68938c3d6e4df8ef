_base_ = './resnet18_cam.py'

weights = (
    'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    backbone=dict(depth=50, init_cfg=dict(checkpoint=weights)), head=dict(in_channels=2048)
)
