# Drawn scenes; tools/dataset_converters/smokestack.py makes them.
dataset_type = 'mmsmoke.WeakSegDataset'
data_root = 'data/smokestack-biased-128'

train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type=dataset_type, data_root=data_root, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='val',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
