# The student of the thesis: ViT-B/16, a linear layer on the CLS token, Grad-CAM at the last block.
# ImageNet-21k weights fine-tuned on ImageNet-1k, as in the thesis; these were tuned at 384 px.
weights = 'https://mmassets.onedl.ai/mmclassification/v0/vit/finetune/vit-base-p16_in21k-pre-3rdparty_ft-64xb64_in1k-384_20210928-98e8652b.pth'
model = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='mmsmoke.ViTWithCLS',
        arch='base',
        img_size=512,
        patch_size=16,
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone'),
    ),
    head=dict(type='mmsmoke.CLSHead', num_classes=1, in_channels=768),
    cam=dict(type='mmsmoke.GradCAM', layers=[-1]),
)
