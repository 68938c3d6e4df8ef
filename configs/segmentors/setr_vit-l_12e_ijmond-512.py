# mmseg's SETR-PUP. Its weights are made by mmseg's tools/model_converters/vit2mmseg.py from timm's
# vit_large_patch16_384.
_base_ = [
    'mmseg::_base_/models/setr_pup.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/segment_runtime.py',
]

norm_cfg = dict(type='BN', requires_grad=True)
loss = dict(type='CrossEntropyLoss', avg_non_ignore=True)
model = dict(
    data_preprocessor=dict(size_divisor=16),
    pretrained=None,
    backbone=dict(
        img_size=(512, 512),
        drop_rate=0.0,
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/vit_large_p16.pth'),
    ),
    decode_head=dict(num_classes=2, norm_cfg=norm_cfg, loss_decode=loss),
    auxiliary_head=[
        dict(
            type='SETRUPHead',
            in_channels=1024,
            channels=256,
            in_index=index,
            num_classes=2,
            dropout_ratio=0,
            norm_cfg=norm_cfg,
            num_convs=2,
            up_scale=4,
            kernel_size=3,
            align_corners=False,
            loss_decode=dict(**loss, loss_weight=0.4),
        )
        for index in range(3)
    ],
)
del loss
# mmseg's for SETR: its learning rate, by epochs.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=12, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=1)
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
