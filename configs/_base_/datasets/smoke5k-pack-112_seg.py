# The view of the segmentor (stage 3): masks to learn from are pseudo labels.
_base_ = './weakseg-112_seg.py'

data_root = 'data/smoke5k-pack'
train_dataloader = dict(
    dataset=dict(data_root=data_root, seg_map_dir='work_dirs/resnet18-s_smoke5k-pack-112/masks'),
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
