# IRN's for its boundary head; again without momentum.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0, weight_decay=1e-4)
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=3, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=3)
