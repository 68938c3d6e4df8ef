_base_ = [
    '../_base_/models/deit-small-cls_cam.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/scratch_40e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(img_size=224, init_cfg=None))
