from importlib import import_module

# DeepLabV2 from ImageNet. Most numbers in the literature start from a network that COCO's true
# masks have taught, which is hidden supervision; without it, the loss has to be balanced. There,
# crops have 321 px (--cfg-options size=321), and the learning rate falls every ten iterations.
_base_ = [
    '../_base_/models/encoder_decoder.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/sgd_20k.py',
]

rescaled = import_module('mmsmoke.utils.configs').rescaled
model = dict(
    type='mmsmoke.MultiScaleEncoderDecoder',
    backbone=dict(
        type='ResNetV1c',
        depth=101,
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        contract_dilation=True,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet101_v1c'),
    ),
    decode_head=dict(
        type='mmsmoke.AddedASPPHead',
        in_channels=2048,
        num_classes=2,
        loss_decode=dict(type='mmsmoke.BalancedCrossEntropyLoss'),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=30000, by_epoch=False)]
train_cfg = dict(max_iters=30000)
train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        seg_map_dir='work_dirs/resnet50_12e_weakseg-224_labels/masks',
        pipeline=[
            {**step, 'ratio_range': (0.5, 2.0)} if 'ratio_range' in step else step
            for step in _base_.seg_train_pipeline
        ],
    ),
)
tta_pipeline = rescaled(_base_.tta_pipeline)
