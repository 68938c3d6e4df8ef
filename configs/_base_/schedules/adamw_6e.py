_base_ = './adamw_12e.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=6, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=6)
