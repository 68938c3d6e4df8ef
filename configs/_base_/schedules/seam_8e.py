# SEAM's own: SGD, poly, new layers ten times as fast, biases twice and without decay. The published
# code means 0.9 to be the momentum, but hands it to the exponent of the poly schedule alone.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        custom_keys={
            'backbone.reduce': dict(lr_mult=10),
            'backbone.mix': dict(lr_mult=10),
            'head': dict(lr_mult=10),
        },
    ),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=8, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=1)
