# The same with the thesis' head: a linear layer on the CLS token, read out by Grad-CAM.
_base_ = './vit-xxs_cam.py'

model = dict(
    backbone=dict(type='mmsmoke.ViTWithCLS'),
    head=dict(_delete_=True, type='mmsmoke.CLSHead', num_classes=1, in_channels=96),
    cam=dict(type='mmsmoke.GradCAM', layers=[-1]),
)
