# IJmond in the standard layout, squares of 512 without augmentation, as the thesis trained.
_base_ = './weakseg-224.py'

data_root = 'data/ijmond'
size = 512
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(size, size)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
train_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=test_pipeline))
