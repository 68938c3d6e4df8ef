_base_ = [
    '../_base_/models/mlp_r18-s.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/segment_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/resnet18-s_12e_smokestack-128_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
