# What an AffinityNet learns from: images and label maps with 255.
_base_ = './smokestack_seg.py'

train_dataloader = dict(
    dataset=dict(seg_map_dir='work_dirs/resnet18-s_psa-labels_smokestack-128/masks')
)
val_dataloader = None
test_dataloader = None
