# The same with flips and mild jitter.
_base_ = './ijmond-512.py'

train_pipeline = _base_.train_pipeline
train_pipeline[2:2] = [
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
