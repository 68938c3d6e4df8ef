# Drawn clips, whose frames share one label; tools/dataset_converters/smokestack.py --clips draws
# them. A batch is 8 clips of 4 frames, which no transform may shift against each other.
_base_ = [
    '../_base_/models/lite0_cam.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/classify_runtime.py',
]

data_root = 'data/smokestack-clips-biased-126'
model = dict(backbone=dict(output_stride=16), clip_loss=dict(type='mmsmoke.ClipLoss'))
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(126, 126)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='mmsmoke.ClipSampler', frames=4),
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
val_evaluator = [*_base_.val_evaluator, dict(type='mmsmoke.ClipAccuracy')]
test_evaluator = [
    *_base_.test_evaluator,
    dict(type='mmsmoke.ClipAccuracy'),
    dict(type='mmsmoke.FlowMetric'),
    dict(type='mmsmoke.EventMetric', high=0.5, low=0.3),
]
