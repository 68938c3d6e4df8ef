# mmseg's: a new head learns ten times as fast.
_base_ = './transformer_12e.py'

optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))
