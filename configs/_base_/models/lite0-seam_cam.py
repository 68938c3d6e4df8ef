# EfficientNet-Lite0 with SEAM's pixel correlation module, whose maps are read. At stride 32 a small
# second view would have next to no places.
_base_ = './lite0_cam.py'

model = dict(
    backbone=dict(
        type='mmsmoke.TIMMPyramidPCM', mode='seam', widths=(32, 64, 96), output_stride=16
    ),
    cam=dict(type='mmsmoke.CorrelatedCAM'),
)
