_base_ = [
    '../_base_/models/dinov2-s-frozen_cam.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged-frozen_40e.py',
    '../_base_/classify_runtime.py',
]

train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(_base_.size, _base_.size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
