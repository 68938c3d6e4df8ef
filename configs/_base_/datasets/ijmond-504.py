# IJmond for networks whose patches have 14 pixels.
_base_ = './ijmond-512.py'

size = 504
train_pipeline = _base_.train_pipeline
train_pipeline[1]['scale'] = (size, size)
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
