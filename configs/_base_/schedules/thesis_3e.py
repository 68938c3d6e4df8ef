# The thesis' schedule: its learning rate never falls, since the steps of 10 epochs do not come.
_base_ = './adamw_12e.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.01))
param_scheduler = [dict(type='StepLR', step_size=10, gamma=0.7)]
train_cfg = dict(max_epochs=3)
