# SMOKE5K: tools/dataset_converters/smoke5k.py. It has no image without smoke, so a
# classifier needs those of another set beside it.
_base_ = './weakseg-224.py'

dataset_type = 'mmsmoke.Smoke5KDataset'
data_root = 'data/smoke5k'
train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
