# Both learn at once, each decoder from the other's maps.
_base_ = [
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

model = dict(
    type='mmsmoke.MutualSegmentor',
    data_preprocessor=dict(size_divisor=14),
    first=dict(config='segmentors/single_lite0_6e_smokestack-126.py'),
    second=dict(config='segmentors/single_dinov2-s_6e_smokestack-126.py'),
    predict='mean',
    discrepancy=0.1,
    test_cfg=dict(mode='whole'),
)
# the rate of the CNN's trunk is the schedule's
optim_wrapper = dict(
    type='mmsmoke.AutocastOptimWrapper',
    dtype='auto',
    paramwise_cfg=dict(custom_keys={'second.classifier.backbone': dict(lr_mult=0.03)}),
)
