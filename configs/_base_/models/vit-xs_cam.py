# A ViT of a million parameters, from scratch: for small pictures on a CPU.
_base_ = './vit-tiny_cam.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=128, num_layers=6, num_heads=4, feedforward_channels=512
        ),
        img_size=128,
        patch_size=16,
        init_cfg=None,
    ),
    head=dict(in_channels=128),
)
