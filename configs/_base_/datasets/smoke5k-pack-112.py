# Photographs of the SMOKE5K pack at half size, for training from scratch on a CPU.
_base_ = './weakseg-224.py'

data_root = 'data/smoke5k-pack'
size = 112
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='RandomResizedCrop', scale=size, crop_ratio_range=(0.5, 1.0)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
