# The thesis' variant: another trunk and other widths, at stride 16.
_base_ = [
    '../_base_/models/affinity_resnet18-s.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/default_runtime.py',
]

weights = 'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet101_8xb32_in1k_20210831-539c63f8.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=101,
        strides=(1, 2, 2, 1),
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(in_channels=(512, 1024, 2048), widths=(64, 128, 320), grid=-1),
)
# neither crop nor flip nor jitter
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.Resize', scale=(_base_.size, _base_.size)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_thesis-labels/masks',
        pipeline=train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
# no label tells which affinities are right: nothing is validated, and the last epoch counts
default_hooks = dict(checkpoint=dict(save_best=None))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
train_cfg = dict(by_epoch=True, max_epochs=10)
