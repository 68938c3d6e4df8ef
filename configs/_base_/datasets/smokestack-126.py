# Drawn scenes of 126 pixels, 9 patches of 14 a side, which are read faster than worker processes
# hand them over.
_base_ = './smokestack.py'
data_root = 'data/smokestack-biased-126'

alone = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(**alone, batch_size=32, dataset=dict(data_root=data_root))
val_dataloader = dict(**alone, dataset=dict(data_root=data_root))
test_dataloader = dict(**alone, dataset=dict(data_root=data_root))
