# What an AffinityNet learns from: images and label maps with 255; PSA's augmentation.
_base_ = './ijmond-512_seg.py'

crop = 448
affinity_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.Resize', scale=(_base_.size, _base_.size)),
    dict(type='mmseg.RandomCrop', crop_size=(crop, crop)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmpretrain.ColorJitter', brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_psa-labels_ijmond-512/masks',
        pipeline=affinity_train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
