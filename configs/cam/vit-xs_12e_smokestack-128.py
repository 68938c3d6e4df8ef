_base_ = [
    '../_base_/models/vit-xs_cam.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]
