_base_ = [
    '../_base_/models/resnet18_cam.py',
    '../_base_/datasets/smoke5k-pack-128.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(init_cfg=None))
param_scheduler = [_base_.param_scheduler[0], {**_base_.param_scheduler[1], 'end': 24}]
train_cfg = dict(max_epochs=24)
