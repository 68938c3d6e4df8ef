_base_ = [
    '../_base_/models/affinity_resnet18-s.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/resnet18-s_12e_smokestack-128_psa-labels/masks',
        pipeline=_base_.affinity_train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
# no label tells which affinities are right: nothing is validated, and the last epoch counts
default_hooks = dict(checkpoint=dict(save_best=None))
