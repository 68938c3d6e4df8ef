_base_ = [
    '../_base_/models/resnet18-s_cam.py',
    '../_base_/clips_smokestack-126.py',
    '../_base_/schedules/adamw_12e.py',
]

model = dict(clip_loss=dict(type='mmsmoke.ClipLoss'))
