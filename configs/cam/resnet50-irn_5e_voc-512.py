from importlib import import_module

# IRN's CAMs; its paper has 48.3 mIoU of them on VOC's train part.
_base_ = [
    '../_base_/models/resnet50-irn_cam.py',
    '../_base_/datasets/voc-448.py',
    '../_base_/schedules/irn_5e.py',
    '../_base_/classify_runtime.py',
]

loss = dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1 / 20)
model = dict(head=dict(num_classes=20, loss=loss))
size = 512
resized = import_module('mmsmoke.utils.configs').resized
# the longer side is 320 to 640, as in voc-448.py, and the crop larger
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(
        type='mmcv.RandomResize',
        scale=(size, size),
        ratio_range=(0.625, 1.25),
        resize_type='mmcv.Resize',
        keep_ratio=True,
    ),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='mmpretrain.RandomCrop', crop_size=size, pad_if_needed=True, pad_val=(104, 116, 124)),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = resized(_base_.val_dataloader, size)
test_dataloader = resized(_base_.test_dataloader, size)
