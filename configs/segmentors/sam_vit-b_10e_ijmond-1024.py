# SAM's network takes squares of 1024 and nothing else. Another size of it:
#   --cfg-options model.model_type=vit_h model.checkpoint=checkpoints/sam_vit_h_4b8939.pth
_base_ = [
    '../_base_/datasets/ijmond-512.py',
    '../_base_/segment_runtime.py',
]

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

# Whole images, the longer side 1024. Images of a batch may differ in size in training only.
size = 1024
longer_side = dict(type='mmcv.Resize', scale=(size, size), keep_ratio=True)
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask', required=True),
    longer_side,
    dict(type='mmsmoke.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', imdecode_backend='pillow'),  # MMSegInferencer's
    longer_side,
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
tta_pipeline = None  # the network takes one size
train_dataloader = dict(
    batch_size=1,
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_labels/masks',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
del longer_side
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
train_cfg = dict(by_epoch=True, max_epochs=10)
