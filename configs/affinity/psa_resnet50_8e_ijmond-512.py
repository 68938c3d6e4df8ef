# PSA's head on a ResNet-50 at stride 8; as in PSA the first layers and all batch norms stay.
_base_ = [
    '../_base_/models/affinity_resnet18-s.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/default_runtime.py',
]

weights = (
    'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=50,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        out_indices=(1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(in_channels=(512, 1024, 2048), widths=(64, 128, 256)),
)
# PSA's: new layers learn ten times, biases twice as fast. Its momentum is next to none
# (docs/affinity.md).
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2, bias_decay_mult=0, custom_keys={'head': dict(lr_mult=10)}),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=8, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=8)
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_psa-labels/masks',
        pipeline=_base_.affinity_train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
# no label tells which affinities are right: nothing is validated, and the last epoch counts
default_hooks = dict(checkpoint=dict(save_best=None))
