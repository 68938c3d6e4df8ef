# The view of the segmentor (stage 3): masks to learn from are pseudo labels.
_base_ = ['./weakseg-224.py', './tta_views.py']

seg_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.RandomResize', scale=(_base_.size, _base_.size), ratio_range=(1.0, 2.0)),
    dict(type='mmseg.RandomCrop', crop_size=(_base_.size, _base_.size), cat_max_ratio=0.95),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
tta_pipeline = [*_base_.test_pipeline[:2], _base_.tta_views]
train_dataloader = dict(
    dataset=dict(seg_map_dir='work_dirs/resnet50_weakseg-224/masks', pipeline=seg_train_pipeline),
)
