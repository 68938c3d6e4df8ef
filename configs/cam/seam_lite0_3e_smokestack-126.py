_base_ = [
    '../_base_/seam.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(student=dict(config='_base_/models/lite0-seam_cam.py'))
