# DINOv2 ViT-S/14 with the weights of a package. The package may have tuned them with masks of what
# is salient: docs/weights.md says what that means for results. Sizes are multiples of 14.
model = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='VisionTransformer',
        arch='dinov2-small',
        img_size=224,
        patch_size=14,
        layer_scale_init_value=1e-5,
        out_type='featmap',
        init_cfg=dict(type='Pretrained', checkpoint='package://dinov2-small'),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=384),
)
