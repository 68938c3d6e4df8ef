# Photographs of the SMOKE5K pack at half size, for training from scratch on a CPU.
_base_ = './weakseg-112.py'

data_root = 'data/smoke5k-pack'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
