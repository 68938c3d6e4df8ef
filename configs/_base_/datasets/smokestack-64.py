# Drawn scenes of 64 pixels.
_base_ = './smokestack.py'
data_root = 'data/smokestack-biased-64'

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
