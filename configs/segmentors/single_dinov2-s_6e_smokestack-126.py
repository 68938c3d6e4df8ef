_base_ = [
    '../_base_/models/single.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

model = dict(classifier=dict(config='cam/dinov2-s_3e_smokestack-126.py', head=dict(pool=0.1)))
optim_wrapper = dict(
    type='mmsmoke.AutocastOptimWrapper',
    dtype='auto',
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.03))),
)
