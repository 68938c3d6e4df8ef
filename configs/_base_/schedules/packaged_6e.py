# The same for segmentors: twice as long.
_base_ = './packaged_3e.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, begin=0, end=0.9, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=0.9, end=6, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=6)
