# What the script of the thesis' author has by default: no warm-up, no decay of weights.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
param_scheduler = [dict(type='StepLR', step_size=10, gamma=0.7)]
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
