_base_ = [
    '../_base_/models/vit-tiny_cam.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(img_size=128, patch_size=8, init_cfg=None))
