# The thesis' for SETR. How long it trained is not known; the rate never fell.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=1)
