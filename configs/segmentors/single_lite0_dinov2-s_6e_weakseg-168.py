# Your own photographs. Train the teacher first: configs/cam/lite0_3e_weakseg-168.py
_base_ = [
    '../_base_/models/single.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

model = dict(
    classifier=dict(
        config='crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py',
        student=dict(head=dict(pool=0.1)),
    ),
)
optim_wrapper = dict(
    type='mmsmoke.AutocastOptimWrapper',
    dtype='auto',
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.03))),
)
# as segmentors learn, but from pictures that have no masks
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.RandomResize', scale=(_base_.size, _base_.size), ratio_range=(1.0, 2.0)),
    dict(type='mmseg.RandomCrop', crop_size=(_base_.size, _base_.size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
