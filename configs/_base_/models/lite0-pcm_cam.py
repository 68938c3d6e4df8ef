# EfficientNet-Lite0 with the thesis' pixel correlation module and background channel.
_base_ = './lite0_cam.py'

model = dict(
    backbone=dict(type='mmsmoke.TIMMPyramidPCM', mode='thesis', widths=(32, 64, 128)),
    head=dict(type='mmsmoke.PCMHead'),
)
