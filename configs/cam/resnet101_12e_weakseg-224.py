_base_ = './resnet50_12e_weakseg-224.py'

weights = 'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet101_8xb32_in1k_20210831-539c63f8.pth'
model = dict(backbone=dict(depth=101, init_cfg=dict(checkpoint=weights)))
