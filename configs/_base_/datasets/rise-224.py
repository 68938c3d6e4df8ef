# RISE: tools/dataset_converters/rise.py. There are no masks: CAMs cannot be measured on it.
_base_ = './weakseg-224.py'

dataset_type = 'mmsmoke.RISEDataset'
data_root = 'data/rise'
train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
