# For weights of packages: a trunk that knows a lot learns slowly, a new head fast; one cycle.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.3)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, begin=0, end=0.9, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=0.9, end=3, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=3, val_interval=1)
