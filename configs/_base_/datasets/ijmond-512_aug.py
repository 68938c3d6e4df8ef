# The same with flips and mild jitter.
_base_ = './ijmond-512.py'

train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(512, 512)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
