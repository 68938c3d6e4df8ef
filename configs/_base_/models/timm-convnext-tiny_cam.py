# Any convolutional timm model fits; this one takes its weights from timm's hub.
model = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='TIMMBackbone', model_name='convnext_tiny', features_only=True, pretrained=True
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=768),
)
