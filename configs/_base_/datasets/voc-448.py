from importlib import import_module

# PASCAL VOC 2012 with SBD, 20 classes: tools/dataset_converters/voc.py. Training crops keep the
# proportions of a picture, as in the literature; what is validated and tested is made square.
# There is no test part without a server: tests are on val. docs/datasets.md says how to choose
# thresholds on other images.
_base_ = './weakseg-224.py'

resized = import_module('mmsmoke.utils.configs').resized
dataset_type = 'mmsmoke.VOCDataset'
data_root = 'data/voc12'
size = 448
# IRN's and SEAM's: the longer side is 320 to 640
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(
        type='mmcv.RandomResize',
        scale=(size, size),
        ratio_range=(0.714, 1.429),
        resize_type='mmcv.Resize',
        keep_ratio=True,
    ),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmpretrain.RandomCrop', crop_size=size, pad_if_needed=True, pad_val=(104, 116, 124)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
# DeepLab's: half to one and a half times the picture, whose longer side is mostly 500
seg_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(
        type='mmcv.RandomResize',
        scale=(size, size),
        ratio_range=(0.56, 1.68),
        resize_type='mmcv.Resize',
        keep_ratio=True,
    ),
    dict(type='mmseg.RandomCrop', crop_size=(size, size), cat_max_ratio=0.75),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
# PSA's
affinity_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmseg.RandomCrop', crop_size=(size, size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmpretrain.ColorJitter', brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = resized(_base_.test_pipeline, size)
tta_pipeline = resized(_base_.tta_pipeline, size)
train = dict(type=dataset_type, data_root=data_root, pipeline=train_pipeline)
test = dict(type=dataset_type, data_root=data_root, pipeline=test_pipeline)
train_dataloader = dict(dataset=train)
val_dataloader = dict(dataset=test)
test_dataloader = dict(dataset=dict(**test, split='val'))
del train, test
