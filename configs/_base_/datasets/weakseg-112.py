from importlib import import_module

# The same at half the size, for training from scratch on a CPU.
_base_ = './weakseg-224.py'

resized = import_module('mmsmoke.utils.configs').resized
size = 112
train_pipeline = resized(_base_.train_pipeline, size)
seg_train_pipeline = resized(_base_.seg_train_pipeline, size)
affinity_train_pipeline = resized(_base_.affinity_train_pipeline, size)
test_pipeline = resized(_base_.test_pipeline, size)
tta_pipeline = resized(_base_.tta_pipeline, size)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
