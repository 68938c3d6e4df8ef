# DINOv2 as it is, but for its last block, in which every place knows what the whole image shows.
# Only the head learns, from features that are computed once for each image and its mirror image.
_base_ = './dinov2-s_cam.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmsmoke.FeatureCache',
        folder='work_dirs/features',
        backbone=dict(
            _base_.model.backbone,
            arch=dict(embed_dims=384, num_layers=11, num_heads=6, feedforward_channels=1536),
        ),
    ),
    head=dict(pool=0.1),
)
