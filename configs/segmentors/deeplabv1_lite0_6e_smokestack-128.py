from importlib import import_module

_base_ = [
    '../_base_/models/deeplabv1_lite0.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

rescaled = import_module('mmsmoke.utils.configs').rescaled
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/lite0-s3_3e_smokestack-256_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
tta_pipeline = rescaled(_base_.tta_pipeline)
