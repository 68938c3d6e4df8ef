_base_ = [
    '../_base_/models/timm-convnext-tiny_cam.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]
