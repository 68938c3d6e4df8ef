# The small ResNet-18 with the thesis' pixel correlation module and background channel.
_base_ = './resnet18-s_cam.py'

model = dict(
    backbone=dict(type='mmsmoke.ResNetPCM', mode='thesis', widths=(32, 32, 64)),
    head=dict(type='mmsmoke.PCMHead'),
)
