_base_ = [
    '../_base_/models/lite0_cam.py',
    '../_base_/clips_smokestack-126.py',
    '../_base_/schedules/packaged_6e.py',
]

model = dict(backbone=dict(output_stride=16), clip_loss=dict(type='mmsmoke.ClipLoss'))
