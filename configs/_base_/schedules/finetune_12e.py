# For pretrained weights.
_base_ = './adamw_12e.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4))
