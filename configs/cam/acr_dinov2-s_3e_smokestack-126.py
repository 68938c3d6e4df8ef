_base_ = [
    '../_base_/models/dinov2-s_acr.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged-vit_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(weight=18.0)  # 9 x 9 patches
