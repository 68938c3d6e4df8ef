_base_ = [
    '../_base_/models/vit-base-cls_cam.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/scratch_40e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    backbone=dict(arch='deit-small', img_size=224, init_cfg=None), head=dict(in_channels=384)
)
