_base_ = [
    '../_base_/models/lite0_cam.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]
