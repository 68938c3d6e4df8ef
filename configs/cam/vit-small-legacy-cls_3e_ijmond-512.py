_base_ = [
    '../_base_/models/vit-small-legacy-cls_cam.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]
