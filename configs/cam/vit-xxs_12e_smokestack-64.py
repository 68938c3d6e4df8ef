# A ViT of half a million parameters: what a CPU trains in two minutes.
_base_ = [
    '../_base_/models/vit-xs_cam.py',
    '../_base_/datasets/smokestack-64.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    backbone=dict(
        arch=dict(embed_dims=96, num_layers=4, feedforward_channels=384), img_size=64, patch_size=8
    ),
    head=dict(in_channels=96),
)
