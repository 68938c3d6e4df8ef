_base_ = [
    '../_base_/models/dinov2-s-frozen_cam.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged-frozen_40e.py',
    '../_base_/classify_runtime.py',
]
