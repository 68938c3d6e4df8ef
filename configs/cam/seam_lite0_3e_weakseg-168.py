_base_ = [
    '../_base_/seam.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(student=dict(config='_base_/models/lite0-seam_cam.py'))
