# IRN's boundary head on a frozen ResNet-50, at stride 4; without its instances.
_base_ = [
    '../_base_/models/affinity_resnet18-s.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/default_runtime.py',
]

weights = (
    'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    frozen_backbone=True,
    flip=True,
    backbone=dict(
        _delete_=True,
        type='mmsmoke.ResNetWithStem',
        depth=50,
        strides=(1, 2, 2, 1),
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(
        _delete_=True,
        type='mmsmoke.BoundaryAffinityHead',
        in_channels=(64, 256, 512, 1024, 2048),
        radius=10,
        walk_radius=5,
    ),
)
# IRN's for its boundary head; again without momentum.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0, weight_decay=1e-4)
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=3, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=3)
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
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_irn-labels/masks',
        pipeline=train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
# no label tells which affinities are right: nothing is validated, and the last epoch counts
default_hooks = dict(checkpoint=dict(save_best=None))
