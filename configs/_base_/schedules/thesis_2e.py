_base_ = './thesis_3e.py'

train_cfg = dict(max_epochs=2)
