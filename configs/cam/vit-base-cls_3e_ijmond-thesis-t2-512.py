_base_ = [
    '../_base_/models/vit-base-cls_cam.py',
    '../_base_/datasets/ijmond-thesis-t2-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]
