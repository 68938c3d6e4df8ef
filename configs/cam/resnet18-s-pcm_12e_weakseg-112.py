_base_ = [
    '../_base_/models/resnet18-s-pcm_cam.py',
    '../_base_/datasets/weakseg-112.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]
