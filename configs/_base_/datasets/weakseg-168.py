# Any data set in the standard layout for networks with weights from packages on a CPU. Say where
# yours is: --cfg-options data_root=data/NAME
_base_ = './weakseg-224.py'

size = 168
train_pipeline = _base_.train_pipeline
train_pipeline[1]['scale'] = size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
