_base_ = [
    '../_base_/models/mlp_r18-s.py',
    '../_base_/datasets/weakseg-112.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/segment_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/resnet18-s_12e_weakseg-112_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
