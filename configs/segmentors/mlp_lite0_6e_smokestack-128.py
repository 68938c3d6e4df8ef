_base_ = [
    '../_base_/models/mlp_lite0.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/lite0-s3_3e_smokestack-256_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
