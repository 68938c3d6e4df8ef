# ACR: a ViT that attends alike in an image and in its mirror image. With 12 x 12 patches a weight
# of 31 is what 125 is with 24 x 24.
_base_ = './dinov2-s_3e_weakseg-168.py'

model = dict(
    type='mmsmoke.ACRClassifier',
    weight=31.0,
    backbone=dict(type='mmsmoke.ViTWithCLS'),
    head=dict(_delete_=True, type='mmsmoke.CLSHead', num_classes=1, in_channels=384),
    cam=dict(type='mmsmoke.AttentionGradCAM'),
    views=dict(recipe='acr'),
)
