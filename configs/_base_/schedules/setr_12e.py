# mmseg's for SETR: its learning rate, by epochs.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=12, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=1)
