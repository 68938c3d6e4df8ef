# Photographs of the SMOKE5K pack at half size, for training from scratch on a CPU.
_base_ = './weakseg-224.py'

data_root = 'data/smoke5k-pack'
size = 112
train_pipeline = _base_.train_pipeline
train_pipeline[1]['scale'] = size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
