# Any data set in the standard layout, photographs of any size, for all stages. Say where yours is
# and how large pictures shall be: --cfg-options data_root=data/NAME size=224
dataset_type = 'mmsmoke.WeakSegDataset'
data_root = 'data/mine'
size = 224

train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='RandomResizedCrop', scale=size, crop_ratio_range=(0.5, 1.0)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
# of segmentors, which learn from masks
seg_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.RandomResize', scale=(size, size), ratio_range=(1.0, 2.0)),
    dict(type='mmseg.RandomCrop', crop_size=(size, size), cat_max_ratio=0.95),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
# of an AffinityNet, which learns from label maps with 255
affinity_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
# what tools/test.py --tta shows a segmentor of each image: three scales, mirrored and not
tta_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(
        type='mmcv.TestTimeAug',
        transforms=[
            [
                dict(type='mmcv.Resize', scale_factor=factor, keep_ratio=True)
                for factor in (0.75, 1.0, 1.25)
            ],
            [dict(type='mmcv.RandomFlip', prob=0.0), dict(type='mmcv.RandomFlip', prob=1.0)],
            [dict(type='mmsmoke.LoadMask')],
            [dict(type='mmsmoke.LoadContext')],
            [dict(type='mmsmoke.PackWeakSegInputs')],
        ],
    ),
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
        type=dataset_type, data_root=data_root, split='val', test_mode=True, pipeline=test_pipeline
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, split='test', test_mode=True, pipeline=test_pipeline
    ),
)
