# The view of the segmentor (stage 3): masks to learn from are pseudo labels.
_base_ = './weakseg-168_seg.py'

data_root = 'data/smoke5k-pack'
train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        seg_map_dir='work_dirs/crossarch-own_lite0_dinov2-s_smoke5k-pack-168/masks',
    ),
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
