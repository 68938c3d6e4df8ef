# Whole images, the longer side 1024, as SAM takes them. Images of a batch may differ in size in
# training only.
_base_ = './ijmond-512_seg.py'

size = 1024
seg_train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    dict(type='mmcv.Resize', scale=(size, size), keep_ratio=True),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = _base_.test_pipeline
test_pipeline[0] = dict(type='LoadImageFromFile', imdecode_backend='pillow')  # MMSegInferencer's
test_pipeline[1] = dict(type='mmcv.Resize', scale=(size, size), keep_ratio=True)
tta_pipeline = None  # the network takes one size
train_dataloader = dict(batch_size=1, dataset=dict(pipeline=seg_train_pipeline))
val_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
