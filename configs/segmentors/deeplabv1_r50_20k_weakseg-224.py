from importlib import import_module

# DeepLabV1 (LargeFOV), as the literature of weak supervision compares masks with. There, crops have
# 448 px (--cfg-options size=448) and the trunk is ResNet-38 or ResNet-101.
_base_ = [
    '../_base_/models/encoder_decoder.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/sgd_20k.py',
]

rescaled = import_module('mmsmoke.utils.configs').rescaled
model = dict(
    backbone=dict(
        type='ResNetV1c',
        depth=50,
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
        contract_dilation=True,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet50_v1c'),
    ),
    decode_head=dict(
        type='mmsmoke.LargeFOVHead',
        in_channels=2048,
        num_classes=2,
        norm_cfg=dict(type='BN', momentum=3e-4, requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
)
train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        seg_map_dir='work_dirs/resnet50_12e_weakseg-224_labels/masks',
        pipeline=[
            {**step, 'ratio_range': (0.5, 1.5)} if 'ratio_range' in step else step
            for step in _base_.seg_train_pipeline
        ],
    ),
)
tta_pipeline = rescaled(_base_.tta_pipeline)
