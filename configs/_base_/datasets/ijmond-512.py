# IJmond in the standard layout, squares of 512 without augmentation, as the thesis trained.
_base_ = './weakseg-224.py'

data_root = 'data/ijmond'
size = 512
resize = dict(type='mmcv.Resize', scale=(size, size))
pack = dict(type='mmsmoke.PackWeakSegInputs')
train_pipeline = [dict(type='mmsmoke.LoadImage'), resize, pack]
test_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    resize,
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    pack,
]
train_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=test_pipeline))
