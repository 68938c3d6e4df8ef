# A ViT's trunk learns more slowly still.
_base_ = './packaged_3e.py'

optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.03)}))
