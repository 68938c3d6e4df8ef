_base_ = [
    '../_base_/models/vit-xxs-cls_cam.py',
    '../_base_/datasets/smokestack-64.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]
