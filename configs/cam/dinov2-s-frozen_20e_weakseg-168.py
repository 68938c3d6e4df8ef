# DINOv2 as it is: only the head learns, from features that are computed once for each image and its
# mirror image.
_base_ = './dinov2-s_3e_weakseg-168.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmsmoke.FeatureCache',
        folder='work_dirs/features',
        backbone=_base_.model.backbone,
    ),
)
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(_base_.size, _base_.size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
param_scheduler = [dict(type='CosineAnnealingLR', begin=0, end=20, convert_to_iter_based=True)]
train_cfg = dict(max_epochs=20, val_interval=5)
