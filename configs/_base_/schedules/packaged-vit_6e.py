# A ViT's trunk learns more slowly still, and twice as fast in bfloat16, where that is there.
_base_ = './packaged_6e.py'

optim_wrapper = dict(
    type='mmsmoke.AutocastOptimWrapper',
    dtype='auto',
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.03)}),
)
