_base_ = [
    '../_base_/models/resnet50_cam.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/scratch_40e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(init_cfg=None))
