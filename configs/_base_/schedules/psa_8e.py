# PSA's: new layers learn ten times, biases twice as fast. Its momentum is next to none
# (docs/affinity.md).
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2, bias_decay_mult=0, custom_keys={'head': dict(lr_mult=10)}),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=8, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=8)
