_base_ = './vit-tiny_12e_weakseg-224.py'

weights = 'https://mmassets.onedl.ai/mmclassification/v0/deit/deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth'
model = dict(
    backbone=dict(arch='deit-small', init_cfg=dict(checkpoint=weights)), head=dict(in_channels=384)
)
