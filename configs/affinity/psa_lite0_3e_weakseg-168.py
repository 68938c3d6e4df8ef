# PSA's head on EfficientNet-Lite0 at stride 8, with the ImageNet weights of a package.
_base_ = [
    '../_base_/models/affinity_resnet18-s.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmsmoke.TIMMPyramid',
        model_name='tf_efficientnet_lite0',
        output_stride=8,
        out_indices=(2, 3, 4),
        init_cfg=dict(type='Pretrained', checkpoint='package://efficientnet-lite0'),
    ),
    head=dict(in_channels=(40, 112, 320), widths=(32, 64, 128)),
)
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch-own_lite0_dinov2-s_3e_weakseg-168_psa-labels/masks',
        pipeline=_base_.affinity_train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
# no label tells which affinities are right: nothing is validated, and the last epoch counts
default_hooks = dict(checkpoint=dict(save_best=None))
