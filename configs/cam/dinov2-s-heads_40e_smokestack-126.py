_base_ = [
    '../_base_/models/dinov2-s-heads_cam.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged-frozen_40e.py',
    '../_base_/classify_runtime.py',
]

train_dataloader = dict(
    batch_size=96,
    dataset=dict(split=['train', 'unlabelled'], unlabelled=dict(split='unlabelled')),
)
default_hooks = dict(checkpoint=dict(save_best=None))  # which head is good nobody knows yet
