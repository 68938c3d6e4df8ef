_base_ = [
    '../_base_/models/dinov2-s_acr.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged-vit_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(weight=31.0)  # 12 x 12 patches
