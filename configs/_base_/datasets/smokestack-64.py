from importlib import import_module

# Drawn scenes of 64 pixels, which are read faster than worker processes hand them over.
_base_ = './smokestack.py'

resized = import_module('mmsmoke.utils.configs').resized
data_root = 'data/smokestack-biased-64'
size = 64
alone = dict(num_workers=0, persistent_workers=False)
train = dict(data_root=data_root, pipeline=resized(_base_.train_pipeline, size))
test = dict(data_root=data_root, pipeline=resized(_base_.test_pipeline, size))
train_dataloader = dict(**alone, dataset=train)
val_dataloader = dict(**alone, dataset=test)
test_dataloader = dict(**alone, dataset=test)
del train, test
