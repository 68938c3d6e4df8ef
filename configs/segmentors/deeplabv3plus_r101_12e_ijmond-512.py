_base_ = './deeplabv3plus_r50_12e_ijmond-512.py'

model = dict(backbone=dict(depth=101, init_cfg=dict(checkpoint='open-mmlab://resnet101_v1c')))
