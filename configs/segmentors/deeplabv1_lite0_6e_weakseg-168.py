from importlib import import_module

_base_ = [
    '../_base_/models/deeplabv1_lite0.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

rescaled = import_module('mmsmoke.utils.configs').rescaled
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch-own_lite0_dinov2-s_3e_weakseg-168_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
tta_pipeline = rescaled(_base_.tta_pipeline)
