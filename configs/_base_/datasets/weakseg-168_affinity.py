# What an AffinityNet learns from: images and label maps with 255.
_base_ = './weakseg-168.py'

affinity_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.Resize', scale=(_base_.size, _base_.size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(
    dataset=dict(seg_map_dir='data/mine/affinity_labels', pipeline=affinity_train_pipeline),
)
val_dataloader = None
test_dataloader = None
