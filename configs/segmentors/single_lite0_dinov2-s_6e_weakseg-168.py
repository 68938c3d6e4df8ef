# Your own photographs. Train the teacher first: configs/cam/lite0_3e_weakseg-168.py
_base_ = [
    '../_base_/models/single.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

model = dict(
    classifier=dict(config='crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py'),
)
optim_wrapper = dict(
    type='mmsmoke.AutocastOptimWrapper',
    dtype='auto',
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.03))),
)
