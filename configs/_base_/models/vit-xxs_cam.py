# A ViT of half a million parameters for pictures of 64 pixels: what a CPU trains in two minutes.
_base_ = './vit-xs_cam.py'

model = dict(
    backbone=dict(
        arch=dict(embed_dims=96, num_layers=4, feedforward_channels=384), img_size=64, patch_size=8
    ),
    head=dict(in_channels=96),
)
