# ACR: a ViT that attends alike in an image and in its mirror image. Its weight is 125 with 24 x 24
# patches; the same pressure with fewer patches needs less, in proportion.
_base_ = './dinov2-s_cam.py'

model = dict(
    type='mmsmoke.ACRClassifier',
    backbone=dict(type='mmsmoke.ViTWithCLS'),
    head=dict(_delete_=True, type='mmsmoke.CLSHead', num_classes=1, in_channels=384),
    cam=dict(type='mmsmoke.AttentionGradCAM'),
    views=dict(recipe='acr'),
)
