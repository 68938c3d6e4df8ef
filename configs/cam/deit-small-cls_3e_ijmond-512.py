_base_ = [
    '../_base_/models/vit-base-cls_cam.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

weights = 'https://mmassets.onedl.ai/mmclassification/v0/deit/deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth'
model = dict(
    backbone=dict(arch='deit-small', init_cfg=dict(checkpoint=weights)), head=dict(in_channels=384)
)
