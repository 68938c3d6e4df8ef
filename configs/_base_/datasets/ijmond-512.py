from importlib import import_module

# IJmond, the clean protocol: tools/dataset_converters/ijmond_seg.py. Without augmentation in stage
# 1, as the thesis trained.
_base_ = './weakseg-224.py'

resized = import_module('mmsmoke.utils.configs').resized
dataset_type = 'mmsmoke.IJmondDataset'
data_root = 'data/ijmond-clean'
size = 512
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
seg_train_pipeline = resized(_base_.seg_train_pipeline, size)
# PSA's augmentation
affinity_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmseg.RandomCrop', crop_size=(448, 448)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmpretrain.ColorJitter', brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = resized(_base_.test_pipeline, size)
tta_pipeline = resized(_base_.tta_pipeline, size)
train = dict(type=dataset_type, data_root=data_root, pipeline=train_pipeline)
test = dict(type=dataset_type, data_root=data_root, pipeline=test_pipeline)
train_dataloader = dict(batch_size=8, dataset=train)
val_dataloader = dict(batch_size=8, dataset=test)
test_dataloader = dict(batch_size=8, dataset=test)
del train, test
