from importlib import import_module

# The same for networks with weights from packages on a CPU.
_base_ = './weakseg-224.py'

resized = import_module('mmsmoke.utils.configs').resized
size = 168
train_pipeline = resized(_base_.train_pipeline, size)
seg_train_pipeline = resized(_base_.seg_train_pipeline, size)
affinity_train_pipeline = resized(_base_.affinity_train_pipeline, size)
test_pipeline = resized(_base_.test_pipeline, size)
tta_pipeline = resized(_base_.tta_pipeline, size)
# schedules of three epochs were made for 2,350 photographs: few are shown several times
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline, at_least=1000))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
