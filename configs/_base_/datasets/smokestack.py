from importlib import import_module

# Drawn scenes; tools/dataset_converters/smokestack.py makes them.
_base_ = './weakseg-224.py'

resized = import_module('mmsmoke.utils.configs').resized
data_root = 'data/smokestack-biased-128'
size = 128
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
seg_train_pipeline = affinity_train_pipeline = resized(_base_.affinity_train_pipeline, size)
test_pipeline = resized(_base_.test_pipeline, size)
tta_pipeline = resized(_base_.tta_pipeline, size)
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
