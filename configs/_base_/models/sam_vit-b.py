# SAM's network takes squares of 1024 and nothing else. Another size of it:
#   --cfg-options model.model_type=vit_h model.checkpoint=checkpoints/sam_vit_h_4b8939.pth
model = dict(
    type='mmsmoke.SAMSegmentor',
    model_type='vit_b',
    checkpoint='checkpoints/sam_vit_b_01ec64.pth',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(1024, 1024),
        test_cfg=dict(size=(1024, 1024)),
    ),
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
    threshold=0.3,
)
