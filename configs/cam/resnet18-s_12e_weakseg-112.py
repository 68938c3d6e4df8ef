# Your own images on a CPU, in minutes: --cfg-options data_root=data/NAME
_base_ = [
    '../_base_/models/resnet18-s_cam.py',
    '../_base_/datasets/weakseg-112.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]
