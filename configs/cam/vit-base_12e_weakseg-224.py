_base_ = './vit-tiny_12e_weakseg-224.py'

weights = 'https://mmassets.onedl.ai/mmclassification/v0/vit/vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth'
model = dict(
    backbone=dict(arch='base', init_cfg=dict(checkpoint=weights)), head=dict(in_channels=768)
)
