_base_ = [
    '../_base_/models/affinity_resnet50_irn.py',
    '../_base_/datasets/ijmond-512_affinity.py',
    '../_base_/schedules/irn_3e.py',
    '../_base_/affinity_runtime.py',
]

size = _base_.size
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.RandomResize', scale=(size, size), ratio_range=(0.5, 1.5)),
    dict(type='mmseg.RandomCrop', crop_size=(size, size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_irn-labels_ijmond-512/masks',
        pipeline=train_pipeline,
    ),
)
