# The view of the segmentor (stage 3): masks to learn from are pseudo labels.
_base_ = ['./smokestack.py', './tta_views.py']

seg_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
tta_pipeline = [*_base_.test_pipeline[:1], _base_.tta_views]
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/resnet18-s_smokestack-128/masks', pipeline=seg_train_pipeline
    ),
)
