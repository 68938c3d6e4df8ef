# TransCAM: a CNN and a transformer in one network, and maps that are spread along the attention.
weights = 'https://mmassets.onedl.ai/mmclassification/v0/conformer/conformer-small-p16_3rdparty_8xb128_in1k_20211206-3065dcf5.pth'
model = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='mmsmoke.ConformerWithCLS',
        arch='small',
        drop_path_rate=0.1,
        init_cfg=dict(
            type='Pretrained',
            checkpoint=weights,
            prefix='backbone',
        ),
    ),
    head=dict(type='mmsmoke.TransCAMHead', num_classes=1, in_channels=1024, token_channels=384),
    cam=dict(type='mmsmoke.AttentionCAM'),
    views=dict(recipe='seam'),
)
