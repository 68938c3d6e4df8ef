# IJmond, the clean protocol: tools/dataset_converters/ijmond_seg.py. Without augmentation, as the
# thesis trained.
_base_ = './weakseg-224.py'

dataset_type = 'mmsmoke.IJmondDataset'
data_root = 'data/ijmond-clean'
size = 512
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
train = dict(type=dataset_type, data_root=data_root, pipeline=train_pipeline)
test = dict(type=dataset_type, data_root=data_root, pipeline=test_pipeline)
train_dataloader = dict(batch_size=8, dataset=train)
val_dataloader = dict(batch_size=8, dataset=test)
test_dataloader = dict(batch_size=8, dataset=test)
del train, test
