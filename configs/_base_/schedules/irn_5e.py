# IRN's for its classifier; its momentum is next to none (docs/affinity.md). The rate is for a loss
# that is the mean over classes, where mmpretrain's is their sum.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10))),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=5, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=5, val_interval=1)
