# For large networks that start from nothing, on a GPU.
_base_ = './adamw_12e.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=4, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=4, end=40, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=40, val_interval=4)
