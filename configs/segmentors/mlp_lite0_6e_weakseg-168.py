_base_ = [
    '../_base_/models/mlp_lite0.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch-own_lite0_dinov2-s_3e_weakseg-168_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
