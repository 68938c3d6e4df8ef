from importlib import import_module

# Drawn scenes of 126 pixels, 9 patches of 14 a side, which are read faster than worker processes
# hand them over.
_base_ = './smokestack.py'

resized = import_module('mmsmoke.utils.configs').resized
data_root = 'data/smokestack-biased-126'
size = 126
alone = dict(num_workers=0, persistent_workers=False)
train = dict(data_root=data_root, pipeline=resized(_base_.train_pipeline, size))
test = dict(data_root=data_root, pipeline=resized(_base_.test_pipeline, size))
train_dataloader = dict(**alone, batch_size=32, dataset=train)
val_dataloader = dict(**alone, dataset=test)
test_dataloader = dict(**alone, dataset=test)
del train, test
