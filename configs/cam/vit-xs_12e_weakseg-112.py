_base_ = [
    '../_base_/models/vit-xs_cam.py',
    '../_base_/datasets/weakseg-112.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(img_size=112))
