# Drawn scenes of 64 pixels, which are read faster than worker processes hand them over.
_base_ = './smokestack.py'
data_root = 'data/smokestack-biased-64'

alone = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(**alone, dataset=dict(data_root=data_root))
val_dataloader = dict(**alone, dataset=dict(data_root=data_root))
test_dataloader = dict(**alone, dataset=dict(data_root=data_root))
