# Photographs of the SMOKE5K pack, for networks with weights from packages on a CPU.
_base_ = './weakseg-168.py'

data_root = 'data/smoke5k-pack'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
