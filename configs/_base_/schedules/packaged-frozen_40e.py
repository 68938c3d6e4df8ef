# For a head alone.
_base_ = './packaged-vit_3e.py'

optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [dict(type='CosineAnnealingLR', begin=0, end=40, convert_to_iter_based=True)]
train_cfg = dict(max_epochs=40, val_interval=40)
